#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>

#include "child.h"
#include "kernel.h"

namespace monoceros {
namespace {

constexpr size_t kStackSize = 128 * 1024;
constexpr size_t kGuardSize = 64 * 1024;  // a page of any Linux

struct StageWords {
  const char* stage;
  const char* syscall;
};
constexpr StageWords kWords[] = {
    {"fork", "clone"},   {"signals", "sigaction"}, {"session", "setsid"}, {"fds", "dup2"},       {"cwd", "chdir"},
    {"limits", "prlimit"}, {"identity", "setresuid"}, {"parent", "prctl"},   {"exec", "execve"},
};

// Everything that the plan points into, so that it lives until the child is the program.
struct Prepared {
  std::string file, cwd;
  std::vector<std::string> argv, env;
  std::vector<char*> argv_pointers, env_pointers;
  std::vector<FdMove> moves;
  std::vector<Limit> limits;
  std::vector<std::string> limit_names;  // of each in `limits`
  std::vector<gid_t> groups;
  Verdict verdict{};
  ChildPlan plan{};
};

// `part`: which of several it was, where the stage has several.
[[noreturn]] void fail_spawn(Napi::Env env, Stage stage, int error, const std::string& path,
                             const std::string& part = "") {
  const StageWords& words = kWords[static_cast<int>(stage)];
  const std::string message = "spawn '" + path + "' failed at " + words.stage + (part.empty() ? "" : " (" + part + ")") +
                              ": " + uv_err_name(-error) + ", " + uv_strerror(-error);
  Napi::Error thrown = kernel_error(env, error, message, words.syscall, path);
  thrown.Value().Set("stage", words.stage);
  throw thrown;
}

rlim_t limit_value(const Napi::Value& value) {
  return value.IsNull() ? RLIM_INFINITY : static_cast<rlim_t>(value.As<Napi::Number>().DoubleValue());
}

void read_fds(const Napi::Object& from, Prepared& to, const std::string& file) {
  const Napi::Array fds = from.Get("fds").As<Napi::Array>();
  unsigned placed = 0;
  to.plan.floor = 3;
  for (uint32_t i = 0; i < fds.Length(); i++) {
    const Napi::Object move = fds.Get(i).As<Napi::Object>();
    const FdMove one{integer(move.Get("from")), integer(move.Get("to"))};
    const auto same = [&](const FdMove& other) { return other.to == one.to; };
    if (one.to < 0 || std::any_of(to.moves.begin(), to.moves.end(), same))
      fail_spawn(from.Env(), Stage::kFds, EINVAL, file);
    if (one.to < 3) placed |= 1u << one.to;
    to.plan.floor = std::max(to.plan.floor, one.to + 1);
    to.moves.push_back(one);
  }
  if (placed != 7) fail_spawn(from.Env(), Stage::kFds, EINVAL, file);  // a program without 0, 1 or 2 misbehaves
}

void read_limits(const Napi::Object& from, Prepared& to) {
  if (!given(from.Get("limits"))) return;
  const Napi::Array limits = from.Get("limits").As<Napi::Array>();
  for (uint32_t i = 0; i < limits.Length(); i++) {
    const Napi::Object limit = limits.Get(i).As<Napi::Object>();
    const std::string name = text(limit.Get("resource"), "prlimit");
    const int resource = resource_number(name);
    if (resource == -1) fail_spawn(from.Env(), Stage::kLimits, EINVAL, to.file, name);
    to.limit_names.push_back(name);
    to.limits.push_back({resource, {limit_value(limit.Get("soft")), limit_value(limit.Get("hard"))}});
  }
}

void read_identity(const Napi::Object& from, Prepared& to) {
  ChildPlan& plan = to.plan;
  plan.set_uid = given(from.Get("uid"));
  if (plan.set_uid) plan.uid = from.Get("uid").As<Napi::Number>().Uint32Value();
  plan.set_gid = given(from.Get("gid"));
  if (plan.set_gid) plan.gid = from.Get("gid").As<Napi::Number>().Uint32Value();
  plan.group_count = -1;
  if (!given(from.Get("groups"))) return;
  const Napi::Array groups = from.Get("groups").As<Napi::Array>();
  for (uint32_t i = 0; i < groups.Length(); i++) to.groups.push_back(groups.Get(i).As<Napi::Number>().Uint32Value());
  plan.group_count = static_cast<int>(to.groups.size());
}

// `argv`, `env` (as KEY=value) and signal numbers come ready from addon.ts.
void read_plan(const Napi::Object& from, Prepared& to) {
  ChildPlan& plan = to.plan;
  to.file = text(from.Get("file"), "execve");
  if (to.file.empty() || to.file[0] != '/') fail_spawn(from.Env(), Stage::kExec, EINVAL, to.file);
  to.argv = texts(from.Get("argv"), "execve");
  to.env = texts(from.Get("env"), "execve");
  if (to.argv.empty()) fail_spawn(from.Env(), Stage::kExec, EINVAL, to.file);
  if (given(from.Get("cwd"))) to.cwd = text(from.Get("cwd"), "chdir");
  read_fds(from, to, to.file);
  read_limits(from, to);
  read_identity(from, to);

  to.argv_pointers = pointers(to.argv);
  to.env_pointers = pointers(to.env);
  plan.file = to.file.c_str();
  plan.argv = to.argv_pointers.data();
  plan.envp = to.env_pointers.data();
  plan.cwd = given(from.Get("cwd")) ? to.cwd.c_str() : nullptr;
  plan.moves = to.moves.data();
  plan.move_count = static_cast<int>(to.moves.size());
  plan.limits = to.limits.data();
  plan.limit_count = static_cast<int>(to.limits.size());
  plan.groups = to.groups.data();
  plan.leader = static_cast<Leader>(integer(from.Get("leader")));
  plan.umask_bits = given(from.Get("umask")) ? integer(from.Get("umask")) : -1;
  plan.parent_death_signal = integer(from.Get("parentDeathSignal"));
  plan.parent = getpid();
  plan.verdict = &to.verdict;
}

// One stack for all children: the parent sleeps until its child is done with it.
char* top_of_child_stack() {
  static char* base = nullptr;
  if (!base) {
    void* map = mmap(nullptr, kGuardSize + kStackSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (map == MAP_FAILED) return nullptr;
    mprotect(map, kGuardSize, PROT_NONE);
    base = static_cast<char*>(map);
  }
  return base + kGuardSize + kStackSize;
}

// On a stack that an address sanitizer does not know, which takes what it finds there for errors.
__attribute__((no_sanitize_address)) int child(void* plan) { become(*static_cast<const ChildPlan*>(plan)); }

// vfork(2) on another stack: the child borrows this thread's memory, so the cost does not grow with it, and this
// thread sleeps until the exec. All signals are blocked across it: a handler that ran in the child would write into the
// parent's memory and self-pipe.
pid_t clone_child(ChildPlan& plan, char* stack, int& error, int* pidfd) {
  const SignalsBlocked blocked;
  constexpr int kFlags = CLONE_VM | CLONE_VFORK | SIGCHLD;
  pid_t pid = pidfd ? clone(child, stack, kFlags | CLONE_PIDFD, &plan, pidfd) : -1;
  // A full table or an old kernel has no pidfd, but it has children.
  if (pid == -1) pid = clone(child, stack, kFlags, &plan);
  error = errno;
  return pid;
}

void bury(pid_t pid, int pidfd) {
  while (waitpid(pid, nullptr, 0) == -1 && errno == EINTR) {
  }
  if (pidfd != -1) close(pidfd);
}

Napi::Value spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Prepared prepared;
  read_plan(info[0].As<Napi::Object>(), prepared);
  char* stack = top_of_child_stack();
  if (!stack) fail_spawn(env, Stage::kFork, ENOMEM, prepared.file);

  // A change of credentials marks the memory, which is ours as well, as not to be dumped or traced.
  const ChildPlan& plan = prepared.plan;
  const bool changes_identity = plan.set_uid || plan.set_gid;
  const int dumpable = changes_identity ? prctl(PR_GET_DUMPABLE) : 0;
  int error = 0, pidfd = -1;  // Linux before 5.2 leaves it as it is
  const pid_t pid = clone_child(prepared.plan, stack, error, watches_exits() ? &pidfd : nullptr);
  if (changes_identity) prctl(PR_SET_DUMPABLE, dumpable);
  if (pid == -1) fail_spawn(env, Stage::kFork, error, prepared.file);

  const Verdict& verdict = prepared.verdict;
  if (!verdict.begun) {  // emulators that turn vfork into fork: no verdict would ever be seen
    kill(pid, SIGKILL);
    bury(pid, pidfd);
    fail_spawn(env, Stage::kFork, ENOSYS, prepared.file);
  }
  if (verdict.failed) {
    const Stage stage = verdict.stage;
    bury(pid, pidfd);
    fail_spawn(env, stage, verdict.error, stage == Stage::kCwd ? prepared.cwd : prepared.file,
               stage == Stage::kLimits ? prepared.limit_names[static_cast<size_t>(verdict.limit)] : "");
  }
  remember(pid, pidfd, plan.leader);
  return Napi::Number::New(env, pid);
}

}  // namespace

void install_spawn(Napi::Env env, Napi::Object exports) { put(env, exports, "spawn", spawn); }

}  // namespace monoceros
