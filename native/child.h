// What the child does between fork and exec. Everything it needs stands in this plan before the fork.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

namespace monoceros {

// In the order of the child's work; `SpawnStage` in lib/kernel/kernel.ts has the same words.
enum class Stage : int { kFork, kSignals, kSession, kFds, kCwd, kLimits, kIdentity, kParent, kExec };

struct FdMove {
  int from;
  int to;
};

struct Limit {
  int resource;
  struct rlimit value;
};

// Written by the child into memory that it shares with its parent (CLONE_VM), read by the parent when the child has
// become the program or is gone. A pipe would say the same, but needs two descriptors where there may be none left.
struct Verdict {
  volatile bool begun;
  volatile bool failed;
  volatile Stage stage;
  volatile int error;
  volatile int limit;  // which of the limits it came to
};

enum class Leader : int { kNone, kGroup, kSession };

struct ChildPlan {
  const char* file;
  char* const* argv;
  char* const* envp;
  const char* cwd;  // null: ours
  FdMove* moves;    // the child's to write in
  int move_count;
  int floor;  // above every target, and at least 3
  Leader leader;
  int umask_bits;  // -1: ours
  const Limit* limits;
  int limit_count;
  const gid_t* groups;
  int group_count;  // -1: ours
  bool set_gid;
  gid_t gid;
  bool set_uid;
  uid_t uid;
  int parent_death_signal;  // 0: none
  pid_t parent;
  Verdict* verdict;
};

// Becomes the program, or writes the verdict and exits 127. Async-signal-safe; never returns.
[[noreturn]] void become(const ChildPlan& plan) noexcept;

}  // namespace monoceros
