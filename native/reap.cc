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

// The columns of a row of exits; addon.ts makes an Exit of it. Rows in a typed array instead of objects, because each
// property set from here takes as long as a system call.
enum Column { kPid, kStatus, kUserMs, kSystemMs, kMaxRss, kColumns };

double milliseconds(const struct timeval& time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

// Reaps this child into the row if it has exited. A pid of 0 or below would mean "any child of ..." to wait4.
bool reap_one(pid_t pid, double* row) {
  int status = 0;
  struct rusage usage {};
  if (pid <= 0 || wait4(pid, &status, WNOHANG, &usage) != pid) return false;
  row[kPid] = pid;
  row[kStatus] = status;
  row[kUserMs] = milliseconds(usage.ru_utime);
  row[kSystemMs] = milliseconds(usage.ru_stime);
  row[kMaxRss] = static_cast<double>(usage.ru_maxrss);
  return true;
}

// reap(pids, count, rows): how many rows were filled. There must be a row for each pid.
Napi::Value reap(const Napi::CallbackInfo& info) {
  Napi::Int32Array pids = info[0].As<Napi::Int32Array>();
  const size_t count = std::min<size_t>(pids.ElementLength(), info[1].As<Napi::Number>().Uint32Value());
  Napi::Float64Array rows = info[2].As<Napi::Float64Array>();
  if (rows.ElementLength() < count * kColumns) fail(info.Env(), EINVAL, "wait4");
  const int32_t* pid = pids.Data();
  double* row = rows.Data();
  uint32_t filled = 0;
  for (size_t i = 0; i < count; i++) filled += reap_one(pid[i], row + filled * kColumns);
  return Napi::Number::New(info.Env(), filled);
}

// exited(pids, count): moves those that have exited to the front, and says how many they are.
Napi::Value exited(const Napi::CallbackInfo& info) {
  Napi::Int32Array pids = info[0].As<Napi::Int32Array>();
  const size_t count = std::min<size_t>(pids.ElementLength(), info[1].As<Napi::Number>().Uint32Value());
  int32_t* pid = pids.Data();
  uint32_t front = 0;
  for (size_t i = 0; i < count; i++) {
    siginfo_t found{};
    if (pid[i] > 0 && waitid(P_PID, static_cast<id_t>(pid[i]), &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid)
      pid[front++] = pid[i];
  }
  return Napi::Number::New(info.Env(), front);
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

// The exited child that waitid(2) shows first, 0 when there is none. With WNOWAIT it is always the same one.
pid_t first_exited() {
  siginfo_t found{};
  return waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) == -1 ? 0 : found.si_pid;
}

bool among(const Napi::Array& pids, pid_t pid) {
  for (uint32_t i = 0; i < pids.Length(); i++) {
    Napi::HandleScope scope(pids.Env());
    if (integer(pids.Get(i)) == pid) return true;
  }
  return false;
}

// reapStranger(except, row): 1 when it filled the row, 0 when there is nobody, -1 when the first is not to be taken and
// hides whoever stands behind it.
Napi::Value reap_stranger(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const pid_t first = first_exited();
  if (first == 0) return Napi::Number::New(env, 0);
  const std::vector<pid_t> theirs = children_of_libuv(loop_of(env));
  const bool known =
      std::find(theirs.begin(), theirs.end(), first) != theirs.end() || among(info[0].As<Napi::Array>(), first);
  if (known) return Napi::Number::New(env, -1);
  Napi::Float64Array row = info[1].As<Napi::Float64Array>();
  if (row.ElementLength() < kColumns) fail(env, EINVAL, "wait4");
  return Napi::Number::New(env, reap_one(first, row.Data()) ? 1 : 0);
}

}  // namespace

void install_reap(Napi::Env env, Napi::Object exports) {
  put(env, exports, "reap", reap);
  put(env, exports, "exited", exited);
  put(env, exports, "reapStranger", reap_stranger);
}

}  // namespace monoceros
