// Only async-signal-safe calls, no allocation, no exceptions: the memory here is the parent's own, whose other threads
// go on and may hold any lock. A test lists this object file's undefined symbols.
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace monoceros {
namespace {

constexpr unsigned int kCloseOnExec = 1u << 2;  // CLOSE_RANGE_CLOEXEC, Linux 5.11
constexpr int kSignals = 64;

[[noreturn]] void give_up(const ChildPlan& plan, Stage stage, int error) noexcept {
  plan.verdict->stage = stage;
  plan.verdict->error = error;
  plan.verdict->failed = true;
  _exit(127);
}

// By raw system call: glibc keeps 32 and 33 to itself and refuses them. All zero is SIG_DFL with no flags.
bool default_signals() noexcept {
  const unsigned long action[8] = {};
  for (int number = 1; number <= kSignals; number++)
    if (number != SIGKILL && number != SIGSTOP &&
        syscall(SYS_rt_sigaction, number, action, nullptr, kSignals / 8) == -1)
      return false;
  return true;
}

bool unblock_signals() noexcept {
  const unsigned long none = 0;
  return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignals / 8) == 0;
}

// Every number up to the limit: the last resort, where there is no /proc. What was opened before the limit was lowered
// escapes it.
bool close_on_exec_by_number() noexcept {
  struct rlimit limit;
  if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) == -1) return false;
  for (unsigned long fd = 3; fd < limit.rlim_cur; fd++) fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
  return true;
}

bool is_source(const ChildPlan& plan, int fd) noexcept {
  for (int i = 0; i < plan.move_count; i++)
    if (plan.moves[i].from == fd) return true;
  return false;
}

int open_walk() noexcept { return open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

// A full table has a descriptor that is not wanted; the walk may have its place.
int make_room_for_walk(const ChildPlan& plan) noexcept {
  for (int fd = 3; fd <= plan.move_count + 3; fd++)
    if (!is_source(plan, fd) && close(fd) == 0) return open_walk();
  return -1;
}

struct Entry {  // linux_dirent64, getdents64(2)
  unsigned long inode;
  long next;
  unsigned short length;
  unsigned char type;
  char name[];
};

// opendir(3) would allocate. Entries that are no number ("." and "..") count as 0.
bool close_on_exec_by_walk(const ChildPlan& plan) noexcept {
  int directory = open_walk();
  if (directory == -1 && errno == EMFILE) directory = make_room_for_walk(plan);
  if (directory == -1) return close_on_exec_by_number();
  alignas(Entry) char buffer[4096];
  for (;;) {
    const long size = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size < 0) return false;
    if (size == 0) break;
    for (long at = 0; at < size;) {
      const Entry* entry = reinterpret_cast<const Entry*>(buffer + at);
      int fd = 0;
      for (const char* c = entry->name; *c >= '0' && *c <= '9'; c++) fd = fd * 10 + (*c - '0');
      if (fd >= 3 && fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 && errno != EBADF) return false;
      at += entry->length;
    }
  }
  close(directory);
  return true;
}

// close_range(2) is missing before Linux 5.9 (ENOSYS), its flag before 5.11 (EINVAL), and older container sandboxes
// answer EPERM for what they do not know.
bool close_on_exec(const ChildPlan& plan) noexcept {
  if (syscall(SYS_close_range, 3u, ~0u, kCloseOnExec) == 0) return true;
  return (errno == ENOSYS || errno == EINVAL || errno == EPERM) && close_on_exec_by_walk(plan);
}

// Sources first go above all targets, so that no dup2 overwrites a source that is still to be read: {1→2, 2→1} works,
// and {3→3} loses its close-on-exec flag like the others.
bool place(const ChildPlan& plan) noexcept {
  for (int i = 0; i < plan.move_count; i++) {
    FdMove& move = plan.moves[i];
    if (move.from < plan.floor && (move.from = fcntl(move.from, F_DUPFD_CLOEXEC, plan.floor)) == -1) return false;
  }
  for (int i = 0; i < plan.move_count; i++)
    if (dup2(plan.moves[i].from, plan.moves[i].to) == -1) return false;
  return true;
}

bool limit(const ChildPlan& plan) noexcept {
  for (int i = 0; i < plan.limit_count; i++) {
    plan.verdict->limit = i;
    if (syscall(SYS_prlimit64, 0, plan.limits[i].resource, &plan.limits[i].value, nullptr) == -1) return false;
  }
  return true;
}

// By raw system call: glibc's setters signal every other thread of the process, and those are the parent's.
bool identify(const ChildPlan& plan) noexcept {
  if (plan.group_count >= 0 && syscall(SYS_setgroups, plan.group_count, plan.groups) == -1) return false;
  if (plan.set_gid && syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) == -1) return false;
  return !plan.set_uid || syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) == 0;
}

}  // namespace

void become(const ChildPlan& plan) noexcept {
  plan.verdict->begun = true;
  if (!default_signals()) give_up(plan, Stage::kSignals, errno);
  if (plan.leader == Leader::kSession && setsid() == -1) give_up(plan, Stage::kSession, errno);
  if (plan.leader == Leader::kGroup && setpgid(0, 0) == -1) give_up(plan, Stage::kSession, errno);
  if (!close_on_exec(plan) || !place(plan)) give_up(plan, Stage::kFds, errno);
  if (plan.cwd && chdir(plan.cwd) == -1) give_up(plan, Stage::kCwd, errno);
  if (plan.umask_bits >= 0) umask(static_cast<mode_t>(plan.umask_bits));
  if (!limit(plan)) give_up(plan, Stage::kLimits, errno);
  if (!identify(plan)) give_up(plan, Stage::kIdentity, errno);
  // After the credentials, whose change clears it. A parent that died before this line will never be reported: ask.
  if (plan.parent_death_signal) {
    if (prctl(PR_SET_PDEATHSIG, plan.parent_death_signal) == -1) give_up(plan, Stage::kParent, errno);
    if (getppid() != plan.parent) give_up(plan, Stage::kParent, ESRCH);
  }
  if (!unblock_signals()) give_up(plan, Stage::kSignals, errno);
  execve(plan.file, plan.argv, plan.envp);
  give_up(plan, Stage::kExec, errno);
}

}  // namespace monoceros
