// This process and signals to others.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "kernel.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace monoceros {
namespace {

// Whether this pid is a child of ours that nobody has reaped: then the number is not somebody else's.
bool is_child(pid_t pid) {
  siginfo_t found{};
  return waitid(P_PID, static_cast<id_t>(pid), &found, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// The pidfd is opened before the question who that is, so that what is signalled is what was asked about. Without
// pidfds (ENOSYS, EPERM) or with no descriptor left, by number: safe for a child, which keeps its own until it is
// reaped, and as safe as can be for others.
template <typename Question>
Napi::Value kill_if(Napi::Env env, pid_t pid, int signal, Question is_meant) {
  if (pid <= 1) fail(env, EINVAL, "kill", std::to_string(pid));  // kill(2): 0 and -1 have other meanings
  const int fd = open_pidfd(pid);
  int error = fd == -1 && errno == ESRCH ? ESRCH : 0;
  if (!error && !is_meant(pid)) error = ESRCH;
  if (!error) {
    const long result = fd == -1 ? kill(pid, signal) : syscall(SYS_pidfd_send_signal, fd, signal, nullptr, 0);
    if (result == -1) error = errno;
  }
  if (fd != -1) close(fd);
  if (error && error != ESRCH) fail(env, error, "kill", std::to_string(pid));
  return Napi::Boolean::New(env, error == 0);
}

Napi::Value is_child_of_ours(const Napi::CallbackInfo& info) {
  const pid_t pid = integer(info[0]);
  return Napi::Boolean::New(info.Env(), pid > 1 && is_child(pid));
}

Napi::Value kill_child(const Napi::CallbackInfo& info) {
  return kill_if(info.Env(), integer(info[0]), integer(info[1]), is_child);
}

Napi::Value kill_member(const Napi::CallbackInfo& info) {
  const pid_t session = integer(info[0]);
  return kill_if(info.Env(), integer(info[1]), integer(info[2]), [session](pid_t pid) { return getsid(pid) == session; });
}

Napi::Value kill_group(const Napi::CallbackInfo& info) {
  const pid_t group = integer(info[0]);
  if (group <= 1) fail(info.Env(), EINVAL, "kill", std::to_string(group));
  if (kill(-group, integer(info[1])) == 0) return Napi::Boolean::New(info.Env(), true);
  if (errno != ESRCH) fail(info.Env(), errno, "kill", std::to_string(-group));
  return Napi::Boolean::New(info.Env(), false);
}

void exit_now(const Napi::CallbackInfo& info) { _exit(integer(info[0])); }

Napi::Value get_pid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), getpid()); }
Napi::Value get_ppid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), getppid()); }

void become_subreaper(const Napi::CallbackInfo& info) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1) fail(info.Env(), errno, "prctl");
}

void set_parent_death_signal(const Napi::CallbackInfo& info) {
  if (prctl(PR_SET_PDEATHSIG, integer(info[0])) == -1) fail(info.Env(), errno, "prctl");
}

void become_leader(const Napi::CallbackInfo& info) {
  const bool session = info[0].ToBoolean();
  if ((session ? setsid() : setpgid(0, 0)) == -1) fail(info.Env(), errno, session ? "setsid" : "setpgid");
}

int known_resource(const Napi::Value& name) {
  const int resource = resource_number(text(name, "prlimit"));
  if (resource == -1) fail(name.Env(), EINVAL, "prlimit", name.As<Napi::String>().Utf8Value());
  return resource;
}

Napi::Value limit_value(Napi::Env env, rlim_t value) {
  return value == RLIM_INFINITY ? env.Null() : Napi::Number::New(env, static_cast<double>(value));
}

Napi::Value get_limit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  struct rlimit limit {};
  if (prlimit(0, static_cast<__rlimit_resource>(known_resource(info[0])), nullptr, &limit) == -1)
    fail(env, errno, "prlimit");
  Napi::Object result = Napi::Object::New(env);
  result.Set("resource", info[0]);
  result.Set("soft", limit_value(env, limit.rlim_cur));
  result.Set("hard", limit_value(env, limit.rlim_max));
  return result;
}

void set_limit(const Napi::CallbackInfo& info) {
  const Napi::Object limit = info[0].As<Napi::Object>();
  const auto value = [&](const char* key) {
    const Napi::Value number = limit.Get(key);
    return number.IsNull() ? RLIM_INFINITY : static_cast<rlim_t>(number.As<Napi::Number>().DoubleValue());
  };
  const struct rlimit wanted {value("soft"), value("hard")};
  const int resource = known_resource(limit.Get("resource"));
  if (prlimit(0, static_cast<__rlimit_resource>(resource), &wanted, nullptr) == -1)
    fail(info.Env(), errno, "prlimit", limit.Get("resource").As<Napi::String>().Utf8Value());
}

// Whose rights this thread has to files. Raw calls: glibc's setgroups would change all threads (nptl(7)), and the ids that
// others see (kill(2), ptrace(2)) stay as they are. setfsuid(2) has no error: asked for an impossible id it says what is.
Napi::Value set_file_rights(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array wanted = info[2].As<Napi::Array>();
  std::vector<gid_t> groups;
  for (uint32_t i = 0; i < wanted.Length(); i++) groups.push_back(static_cast<gid_t>(wanted.Get(i).As<Napi::Number>().Int64Value()));
  const auto uid = static_cast<uid_t>(info[0].As<Napi::Number>().Int64Value());
  const auto gid = static_cast<gid_t>(info[1].As<Napi::Number>().Int64Value());

  std::vector<gid_t> before(static_cast<size_t>(getgroups(0, nullptr)));
  if (getgroups(static_cast<int>(before.size()), before.data()) == -1) fail(env, errno, "getgroups");
  // A change of these ids takes both away (credentials(7), prctl(2)).
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  const int dumpable = prctl(PR_GET_DUMPABLE);
  if (syscall(SYS_setgroups, groups.size(), groups.data()) == -1) fail(env, errno, "setgroups");
  const auto gid_before = static_cast<gid_t>(syscall(SYS_setfsgid, gid));
  const auto uid_before = static_cast<uid_t>(syscall(SYS_setfsuid, uid));
  const bool done = static_cast<uid_t>(syscall(SYS_setfsuid, -1)) == uid && static_cast<gid_t>(syscall(SYS_setfsgid, -1)) == gid;
  if (!done) {
    syscall(SYS_setfsuid, uid_before);
    syscall(SYS_setfsgid, gid_before);
    syscall(SYS_setgroups, before.size(), before.data());
  }
  prctl(PR_SET_DUMPABLE, dumpable);
  prctl(PR_SET_PDEATHSIG, death_signal);
  if (!done) fail(env, EPERM, "setfsuid");

  Napi::Object were = Napi::Object::New(env);
  were.Set("uid", static_cast<double>(uid_before));
  were.Set("gid", static_cast<double>(gid_before));
  Napi::Array list = Napi::Array::New(env);
  for (const gid_t one : before) list.Set(list.Length(), static_cast<double>(one));
  were.Set("groups", list);
  return were;
}

}  // namespace

// Comes back only by throwing, and then with the flags as they were.
void replace_image(const Napi::CallbackInfo& info) {
  const std::string file = text(info[0], "execve");
  const std::vector<std::string> argv = texts(info[1], "execve");
  const std::vector<std::string> env = texts(info[2], "execve");
  const Napi::Array keep = info[3].As<Napi::Array>();
  const std::vector<char*> argv_pointers = pointers(argv);
  const std::vector<char*> env_pointers = pointers(env);
  std::vector<std::pair<int, int>> flags;
  int error = 0;
  for (uint32_t i = 0; i < keep.Length() && !error; i++) {
    const int fd = integer(keep.Get(i));
    const int before = fcntl(fd, F_GETFD);
    if (before == -1 || fcntl(fd, F_SETFD, before & ~FD_CLOEXEC) == -1) error = errno;
    else flags.emplace_back(fd, before);
  }
  if (!error) {
    execve(file.c_str(), argv_pointers.data(), env_pointers.data());
    error = errno;
  }
  for (const auto& [fd, before] : flags) fcntl(fd, F_SETFD, before);
  fail(info.Env(), error, "execve", file);
}

void install_process(Napi::Env env, Napi::Object exports) {
  put(env, exports, "isChild", is_child_of_ours);
  put(env, exports, "kill", kill_child);
  put(env, exports, "killMember", kill_member);
  put(env, exports, "killGroup", kill_group);
  put(env, exports, "execve", replace_image);
  put(env, exports, "exit", exit_now);
  put(env, exports, "getpid", get_pid);
  put(env, exports, "getppid", get_ppid);
  put(env, exports, "becomeSubreaper", become_subreaper);
  put(env, exports, "setParentDeathSignal", set_parent_death_signal);
  put(env, exports, "becomeLeader", become_leader);
  put(env, exports, "getLimit", get_limit);
  put(env, exports, "setLimit", set_limit);
  put(env, exports, "setFileRights", set_file_rights);
}

}  // namespace monoceros
