// Node's own event loop: watches on descriptors, and what else lives on it.
#include <time.h>
#include <uv.h>

#include <cerrno>
#include <cstdlib>

#include "kernel.h"

namespace monoceros {
namespace {

// The poll handle outlives the object until libuv has closed it, so it is memory of its own.
class Watch : public Napi::ObjectWrap<Watch> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Watch",
                       {InstanceMethod<&Watch::ref>("ref"), InstanceMethod<&Watch::unref>("unref"),
                        InstanceMethod<&Watch::close>("close")});
  }

  explicit Watch(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Watch>(info),
        events_(info[1].ToBoolean() ? UV_WRITABLE : UV_READABLE),
        callback_(Napi::Persistent(info[2].As<Napi::Function>())),
        context_(info.Env(), "monoceros.Watch") {
    auto* poll = static_cast<uv_poll_t*>(malloc(uv_handle_size(UV_POLL)));
    const int error = uv_poll_init(loop_of(info.Env()), poll, integer(info[0]));
    if (error) {
      free(poll);
      fail(info.Env(), -error, "watch", std::to_string(integer(info[0])));
    }
    poll->data = this;
    poll_ = poll;
    start();
    Ref();  // collected only after close
  }

 private:
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(poll_); }

  void start() {
    uv_poll_start(poll_, events_, [](uv_poll_t* poll, int status, int) {
      static_cast<Watch*>(poll->data)->call(status);
    });
  }

  // As a turn of the event loop: after the callback, process.nextTick and promises run; what it throws is an
  // uncaughtException.
  void call(int status) {
    const Napi::Env env = Env();
    Napi::HandleScope scope(env);
    const Napi::Object self = Value();  // keeps this alive if the callback closes it
    try {
      callback_.MakeCallback(self, std::initializer_list<napi_value>{}, context_);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env, error.Value());
    }
    if (status < 0 && poll_) start();  // libuv stops a poll that saw POLLERR
  }

  void ref(const Napi::CallbackInfo&) {
    if (poll_) uv_ref(handle());
  }

  void unref(const Napi::CallbackInfo&) {
    if (poll_) uv_unref(handle());
  }

  void close(const Napi::CallbackInfo&) {
    if (!poll_) return;
    uv_close(handle(), [](uv_handle_t* closed) { free(closed); });
    poll_ = nullptr;
    Unref();
  }

  uv_poll_t* poll_ = nullptr;
  int events_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
};

Napi::Value loop_handles(const Napi::CallbackInfo& info) {
  std::vector<uv_handle_t*> found;
  uv_walk(
      loop_of(info.Env()),
      [](uv_handle_t* handle, void* into) { static_cast<std::vector<uv_handle_t*>*>(into)->push_back(handle); },
      &found);
  Napi::Array result = Napi::Array::New(info.Env());
  for (uv_handle_t* handle : found) {
    Napi::Object one = Napi::Object::New(info.Env());
    one.Set("type", uv_handle_type_name(uv_handle_get_type(handle)));
    one.Set("active", uv_is_active(handle) != 0);
    one.Set("referenced", uv_has_ref(handle) != 0);
    if (uv_handle_get_type(handle) == UV_PROCESS)
      one.Set("pid", uv_process_get_pid(reinterpret_cast<const uv_process_t*>(handle)));
    result.Set(result.Length(), one);
  }
  return result;
}

Napi::Value now(const Napi::CallbackInfo& info) {
  struct timespec time {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Napi::Number::New(info.Env(), time.tv_sec * 1e3 + time.tv_nsec / 1e6);
}

}  // namespace

void install_loop(Napi::Env env, Napi::Object exports) {
  exports.Set("Watch", Watch::define(env));
  put(env, exports, "loopHandles", loop_handles);
  put(env, exports, "now", now);
}

}  // namespace monoceros
