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
        context_(info.Env(), "monoceros.Watch"),
        reaps_(info[3].ToBoolean()) {
    poll_ = open(info.Env(), integer(info[0]));
    start(poll_, events_);
    Ref();  // collected only after close
    napi_add_env_cleanup_hook(info.Env(), stop, this);
    if (!reaps_ || watch_exits() == -1) return;
    exits_ = open(info.Env(), watch_exits());
    start(exits_, UV_READABLE);
    uv_unref(handle(exits_));
    hear_exits_aside();
  }

 private:
  static uv_handle_t* handle(uv_poll_t* poll) { return reinterpret_cast<uv_handle_t*>(poll); }

  uv_poll_t* open(Napi::Env env, int fd) {
    auto* poll = static_cast<uv_poll_t*>(malloc(uv_handle_size(UV_POLL)));
    const int error = uv_poll_init(loop_of(env), poll, fd);
    if (error) {
      free(poll);
      fail(env, -error, "watch", std::to_string(fd));
    }
    poll->data = this;
    return poll;
  }

  static void start(uv_poll_t* poll, int events) {
    uv_poll_start(poll, events, [](uv_poll_t* poll, int status, int) {
      static_cast<Watch*>(poll->data)->wake(poll, status);
    });
  }

  void wake(uv_poll_t* poll, int status) {
    size_t reaped = reaps_ ? sweep() : 0;
    Napi::HandleScope scope(Env());
    const Napi::Object self = Value();  // keeps this alive if the callback closes it
    if (!reaps_ || reaped > 0 || is_due(poll, reaped)) call(self, reaped);
    // SIGCHLD that came between the sweep and the callback, which has read it: it will not come again.
    while (reaps_ && poll_ && takes_exits_read() && (reaped = sweep()) > 0) call(self, reaped);
    if (reaps_) close_swept();
    if (status < 0 && poll == poll_) start(poll_, events_);  // libuv stops a poll that saw POLLERR
  }

  // An exit comes twice, through its pidfd and as SIGCHLD. Whichever is first calls back; what finds nothing left to do
  // does not. What exited after the sweep is no longer watched either, hence another one.
  bool is_due(uv_poll_t* poll, size_t& reaped) {
    if (poll == poll_) return has_signals();
    if (!hears_unswept()) return false;
    reaped = sweep();
    return true;
  }

  // As a turn of the event loop: after the callback, process.nextTick and promises run; what it throws is an
  // uncaughtException. The scope whose end runs them opens only after the callback, which comes 2 us earlier so. Bare
  // N-API: everything here runs from cold caches, so each call less is seen in benchmarks/README.md, "reap".
  void call(napi_value self, size_t reaped) {
    const Napi::Env env = Env();
    napi_value count = nullptr, result = nullptr;
    napi_create_uint32(env, static_cast<uint32_t>(reaped), &count);
    if (napi_call_function(env, self, callback_.Value(), reaps_ ? 1 : 0, &count, &result) == napi_pending_exception) {
      napi_value error = nullptr;
      napi_get_and_clear_last_exception(env, &error);
      napi_fatal_exception(env, error);
    }
    Napi::CallbackScope turn(env, context_);
  }

  // Node turns the loop once more when its environment is gone, and there is nobody to call back.
  static void stop(void* self) {
    auto* watch = static_cast<Watch*>(self);
    for (uv_poll_t* poll : {watch->poll_, watch->exits_})
      if (poll) uv_poll_stop(poll);
  }

  void ref(const Napi::CallbackInfo&) {
    if (poll_) uv_ref(handle(poll_));
  }

  void unref(const Napi::CallbackInfo&) {
    if (poll_) uv_unref(handle(poll_));
  }

  void close(const Napi::CallbackInfo&) {
    if (!poll_) return;
    for (uv_poll_t* poll : {poll_, exits_})
      if (poll) uv_close(handle(poll), [](uv_handle_t* closed) { free(closed); });
    poll_ = exits_ = nullptr;
    napi_remove_env_cleanup_hook(Env(), stop, this);
    Unref();
  }

  uv_poll_t* poll_ = nullptr;
  uv_poll_t* exits_ = nullptr;
  int events_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  bool reaps_;
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
