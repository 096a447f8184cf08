#include "kernel.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <utility>

namespace monoceros {
namespace {

// libuv has no name for what sendmsg(2) says when more descriptors are in flight than the user may have open (unix(7)).
const char* name_of(int error) { return error == ETOOMANYREFS ? "ETOOMANYREFS" : uv_err_name(-error); }
const char* text_of(int error) {
  return error == ETOOMANYREFS ? "more descriptors are being sent than RLIMIT_NOFILE allows" : uv_strerror(-error);
}

}  // namespace

Napi::Error kernel_error(Napi::Env env, int error, const std::string& message, const char* syscall,
                         const std::string& path) {
  Napi::Error thrown = Napi::Error::New(env, message);
  Napi::Object value = thrown.Value();
  value.Set("code", name_of(error));
  value.Set("errno", -error);
  value.Set("syscall", syscall);
  if (!path.empty()) value.Set("path", path);
  return thrown;
}

void fail(Napi::Env env, int error, const char* syscall, const std::string& about) {
  std::string message = std::string(name_of(error)) + ": " + text_of(error) + ", " + syscall;
  if (!about.empty()) message += " '" + about + "'";
  throw kernel_error(env, error, message, syscall, about);
}

std::string text(const Napi::Value& value, const char* syscall) {
  std::string result = value.As<Napi::String>().Utf8Value();
  if (result.find('\0') != std::string::npos) fail(value.Env(), EINVAL, syscall, result.substr(0, result.find('\0')));
  return result;
}

std::vector<std::string> texts(const Napi::Value& value, const char* syscall) {
  const Napi::Array array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  std::vector<std::string> result;
  result.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    Napi::HandleScope scope(value.Env());
    result.push_back(text(array.Get(i), syscall));
  }
  return result;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

int resource_number(const std::string& name) {
  static const std::pair<const char*, int> table[] = {
      {"AS", RLIMIT_AS},           {"CORE", RLIMIT_CORE},         {"CPU", RLIMIT_CPU},
      {"DATA", RLIMIT_DATA},       {"FSIZE", RLIMIT_FSIZE},       {"LOCKS", RLIMIT_LOCKS},
      {"MEMLOCK", RLIMIT_MEMLOCK}, {"MSGQUEUE", RLIMIT_MSGQUEUE}, {"NICE", RLIMIT_NICE},
      {"NOFILE", RLIMIT_NOFILE},   {"NPROC", RLIMIT_NPROC},       {"RSS", RLIMIT_RSS},
      {"RTPRIO", RLIMIT_RTPRIO},   {"RTTIME", RLIMIT_RTTIME},     {"SIGPENDING", RLIMIT_SIGPENDING},
      {"STACK", RLIMIT_STACK},
  };
  for (const auto& row : table)
    if (name == row.first) return static_cast<int>(row.second);
  return -1;
}

void* symbol(const char* name) {
  static uv_lib_t node;
  static const bool opened = uv_dlopen(nullptr, &node) == 0;
  void* found = nullptr;
  return opened && uv_dlsym(&node, name, &found) == 0 ? found : nullptr;
}

SignalsBlocked::SignalsBlocked() {
  const unsigned long all = ~0ul;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof all);
}

SignalsBlocked::~SignalsBlocked() { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_); }

uv_loop_s* loop_of(Napi::Env env) {
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  return loop;
}

}  // namespace monoceros
