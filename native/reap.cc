// Reaping by known pid. A blind waitpid(-1) would take the exits of libuv's children, whose 'exit' event then never
// comes.
#include <sys/resource.h>
#include <sys/wait.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>

#include "kernel.h"

namespace monoceros {
namespace {

std::vector<pid_t> pids(const Napi::Value& value) {
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<pid_t> result;
  const uint32_t length = array.Length();
  result.reserve(length);
  for (uint32_t i = 0; i < length; i++) result.push_back(integer(array.Get(i)));
  return result;
}

double milliseconds(const struct timeval& time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

Napi::Object exit_of(Napi::Env env, pid_t pid, int status, const struct rusage& usage) {
  Napi::Object spent = Napi::Object::New(env);
  spent.Set("userMs", milliseconds(usage.ru_utime));
  spent.Set("systemMs", milliseconds(usage.ru_stime));
  spent.Set("maxRssKib", static_cast<double>(usage.ru_maxrss));
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", pid);
  result.Set("code", WIFEXITED(status) ? Napi::Number::New(env, WEXITSTATUS(status)) : env.Null());
  result.Set("signal", WIFSIGNALED(status) ? Napi::Number::New(env, WTERMSIG(status)) : env.Null());
  result.Set("core", Napi::Boolean::New(env, WIFSIGNALED(status) && WCOREDUMP(status)));
  result.Set("usage", spent);
  return result;
}

// Appends the exit of this child, if it has one. A pid of 0 or below would mean "any child of …" to wait4.
bool reap_one(Napi::Env env, pid_t pid, Napi::Array& exits) {
  int status = 0;
  struct rusage usage {};
  if (pid <= 0 || wait4(pid, &status, WNOHANG, &usage) != pid) return false;
  exits.Set(exits.Length(), exit_of(env, pid, status, usage));
  return true;
}

Napi::Value reap(const Napi::CallbackInfo& info) {
  Napi::Array exits = Napi::Array::New(info.Env());
  for (const pid_t pid : pids(info[0])) reap_one(info.Env(), pid, exits);
  return exits;
}

Napi::Value exited(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  for (const pid_t pid : pids(info[0])) {
    siginfo_t found{};
    if (pid > 0 && waitid(P_PID, static_cast<id_t>(pid), &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid)
      result.Set(result.Length(), pid);
  }
  return result;
}

std::vector<pid_t> children_of_libuv(uv_loop_t* loop) {
  std::vector<pid_t> result;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* into) {
        if (uv_handle_get_type(handle) != UV_PROCESS) return;
        static_cast<std::vector<pid_t>*>(into)->push_back(
            uv_process_get_pid(reinterpret_cast<const uv_process_t*>(handle)));
      },
      &result);
  return result;
}

// waitid with WNOWAIT always shows the same child first. One that is not ours to take hides those behind it.
Napi::Value reap_strangers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<pid_t> known = pids(info[0]);
  const std::vector<pid_t> theirs = children_of_libuv(loop_of(env));
  known.insert(known.end(), theirs.begin(), theirs.end());
  Napi::Array exits = Napi::Array::New(env);
  bool blocked = false;
  for (;;) {
    siginfo_t found{};
    if (waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) == -1 || found.si_pid == 0) break;
    blocked = std::find(known.begin(), known.end(), found.si_pid) != known.end();
    if (blocked || !reap_one(env, found.si_pid, exits)) break;
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("exits", exits);
  result.Set("blocked", blocked);
  return result;
}

}  // namespace

void install_reap(Napi::Env env, Napi::Object exports) {
  put(env, exports, "reap", reap);
  put(env, exports, "exited", exited);
  put(env, exports, "reapStrangers", reap_strangers);
}

}  // namespace monoceros
