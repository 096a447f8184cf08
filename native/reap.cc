// Reaping by known pid. A blind waitpid(-1) would take the exits of libuv's children, whose 'exit' event then never
// comes.
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "child.h"
#include "kernel.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

namespace monoceros {
namespace {

// The columns of a row of exits; addon.ts makes an Exit of it. Rows in a typed array instead of objects, because each
// property set from here takes as long as a system call.
enum Column { kPid, kStatus, kUserMs, kSystemMs, kMaxRss, kColumns };

constexpr int kMostHeard = 64;

double milliseconds(const struct timeval& time) { return time.tv_sec * 1e3 + time.tv_usec / 1e3; }

// The children that were spawned here or adopted, and the exits of those that were swept.
struct Child {
  pid_t pid;
  int pidfd;  // -1: none, then only SIGCHLD tells of its exit
  Leader leads;
};
std::vector<Child> children;
std::vector<std::array<double, kColumns>> swept;
std::vector<int> pidfds_of_swept;
int exits = -1;     // an epoll(7) over the pidfds
int doorbell = -1;  // an eventfd(2) among them

// Closing alone is not enough: a copy in a child that libuv has forked and that has not exec'd yet would stay watched.
void close_pidfd(int pidfd) {
  if (pidfd == -1) return;
  epoll_ctl(exits, EPOLL_CTL_DEL, pidfd, nullptr);
  close(pidfd);
}

// A number that is free may next be that of a child of libuv's.
void forget(pid_t pid) {
  const auto found = std::find_if(children.begin(), children.end(), [pid](const Child& child) { return child.pid == pid; });
  if (found == children.end()) return;
  close_pidfd(found->pidfd);
  children.erase(found);
}

// wait4(2): the pid when the child was reaped into the row, 0 while it lives, -1 when it is no child of ours. A pid of 0
// or below would mean "any child of ..." to wait4.
pid_t wait_for(pid_t pid, double* row) {
  int status = 0;
  struct rusage usage {};
  const pid_t found = pid > 0 ? wait4(pid, &status, WNOHANG, &usage) : -1;
  if (found != pid) return found;
  row[kPid] = pid;
  row[kStatus] = status;
  row[kUserMs] = milliseconds(usage.ru_utime);
  row[kSystemMs] = milliseconds(usage.ru_stime);
  row[kMaxRss] = static_cast<double>(usage.ru_maxrss);
  return pid;
}

bool has_exited(pid_t pid) {
  siginfo_t found{};
  return pid > 0 && waitid(P_PID, static_cast<id_t>(pid), &found, WEXITED | WNOHANG | WNOWAIT) == 0 && found.si_pid;
}

bool reap_one(pid_t pid, double* row) {
  const pid_t found = wait_for(pid, row);
  if (found != 0) forget(pid);
  return found == pid;
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

// adopt(pid): a leader of a group, or about to be one.
void adopt(const Napi::CallbackInfo& info) {
  const pid_t pid = integer(info[0]);
  remember(pid, watches_exits() ? open_pidfd(pid) : -1, Leader::kGroup);
}

// exited(pids, count): moves those that have exited to the front, and says how many they are.
Napi::Value exited(const Napi::CallbackInfo& info) {
  Napi::Int32Array pids = info[0].As<Napi::Int32Array>();
  const size_t count = std::min<size_t>(pids.ElementLength(), info[1].As<Napi::Number>().Uint32Value());
  int32_t* pid = pids.Data();
  uint32_t front = 0;
  for (size_t i = 0; i < count; i++)
    if (has_exited(pid[i])) pid[front++] = pid[i];
  return Napi::Number::New(info.Env(), front);
}

// takeExits(rows): fills rows with what was swept, oldest first, and says how many; more may be left when all are full.
Napi::Value take_exits(const Napi::CallbackInfo& info) {
  Napi::Float64Array rows = info[0].As<Napi::Float64Array>();
  if (takes_exits_read()) {
    sweep();
    close_swept();
  }
  const size_t count = std::min(swept.size(), rows.ElementLength() / kColumns);
  const auto end = swept.begin() + static_cast<std::ptrdiff_t>(count);
  double* to = rows.Data();
  for (auto row = swept.begin(); row != end; row++) to = std::copy(row->begin(), row->end(), to);
  swept.erase(swept.begin(), end);
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(count));
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

int open_pidfd(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

int watch_exits() {
  if (exits == -1) exits = epoll_create1(EPOLL_CLOEXEC);
  return exits;
}

bool watches_exits() { return exits != -1; }

bool open_doorbell() {
  doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event {};
  event.events = EPOLLIN;
  event.data.fd = doorbell;
  return doorbell != -1 && epoll_ctl(exits, EPOLL_CTL_ADD, doorbell, &event) == 0;
}

void ring_doorbell() {
  const uint64_t once = 1;
  (void)!write(doorbell, &once, sizeof once);
}

void remember(pid_t pid, int pidfd, Leader leads) {
  struct epoll_event event {};
  event.events = EPOLLIN;
  event.data.fd = pidfd;
  if (pidfd != -1 && epoll_ctl(exits, EPOLL_CTL_ADD, pidfd, &event) == -1) {
    close(pidfd);
    pidfd = -1;
  }
  children.push_back({pid, pidfd, leads});
}

size_t sweep() {
  const auto is_gone = [](const Child& child) {
    if (child.leads == Leader::kSession) return false;
    if (child.leads == Leader::kGroup) {
      if (!has_exited(child.pid)) return false;
      kill(-child.pid, SIGKILL);
    }
    std::array<double, kColumns> row;
    const pid_t found = wait_for(child.pid, row.data());
    if (found == child.pid) swept.push_back(row);
    if (found != 0 && child.pidfd != -1) pidfds_of_swept.push_back(child.pidfd);
    return found != 0;
  };
  children.erase(std::remove_if(children.begin(), children.end(), is_gone), children.end());
  return swept.size();
}

void close_swept() {
  for (const int pidfd : pidfds_of_swept) close_pidfd(pidfd);
  pidfds_of_swept.clear();
}

bool hears_unswept() {
  struct epoll_event heard[kMostHeard];
  const int count = epoll_wait(exits, heard, kMostHeard, 0);
  for (int i = 0; i < count; i++) {
    uint64_t rung = 0;
    if (heard[i].data.fd != doorbell) epoll_ctl(exits, EPOLL_CTL_DEL, heard[i].data.fd, nullptr);
    else (void)!read(doorbell, &rung, sizeof rung);
  }
  return count > 0;
}

void install_reap(Napi::Env env, Napi::Object exports) {
  put(env, exports, "reap", reap);
  put(env, exports, "exited", exited);
  put(env, exports, "adopt", adopt);
  put(env, exports, "reapStranger", reap_stranger);
  put(env, exports, "takeExits", take_exits);
}

}  // namespace monoceros
