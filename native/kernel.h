// What every part of the addon shares: how a failed system call becomes an exception, and how arguments are read.
#pragma once

#include <napi.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace monoceros {

// Throws the KernelError of lib/kernel/kernel.ts: one line, with code, errno (negative, as Node has it), syscall, path.
[[noreturn]] void fail(Napi::Env env, int error, const char* syscall, const std::string& about = {});

// The same error, not thrown yet, for whoever adds to it.
Napi::Error kernel_error(Napi::Env env, int error, const std::string& message, const char* syscall,
                         const std::string& path);

// A string for the kernel: a NUL inside would cut it short without a word, so it is EINVAL.
std::string text(const Napi::Value& value, const char* syscall);
std::vector<std::string> texts(const Napi::Value& value, const char* syscall);

// The null-terminated vector that execve(2) takes; valid as long as `strings` is.
std::vector<char*> pointers(const std::vector<std::string>& strings);

inline int integer(const Napi::Value& value) { return value.As<Napi::Number>().Int32Value(); }
inline bool given(const Napi::Value& value) { return !value.IsUndefined() && !value.IsNull(); }

// RLIMIT_* by its name without the prefix; -1 when there is none of that name.
int resource_number(const std::string& name);

// A symbol of the Node binary, null where it has none of that name. By libuv, whose binary is older than the build
// machine's: dlsym(3) itself would ask for glibc 2.34, Node asks for 2.28. Likewise elsewhere in this addon.
void* symbol(const char* name);

// Blocks every signal for the calling thread, and unblocks what was not blocked before (rt_sigprocmask(2)): glibc's own
// function leaves out two signals that it keeps to itself.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  unsigned long before_ = 0;
};

// The event loop of this Node environment.
struct uv_loop_s* loop_of(Napi::Env env);

// execve(2) with descriptors to keep: file, arguments, environment, descriptors. Comes back only by throwing.
void replace_image(const Napi::CallbackInfo& info);

// Watching exits (reap.cc): a descriptor that is readable when a child that has a pidfd has exited, -1 where there can be
// none. From the first call on, whoever spawns a child asks for its pidfd.
int watch_exits();
bool watches_exits();

// Calls back who watches exits, from any thread. To be opened once; false where that cannot be.
bool open_doorbell();
void ring_doorbell();

// pidfd_open(2); -1 with errno.
int open_pidfd(pid_t pid);

// Adds a child that was spawned here or adopted. The pidfd (-1: none) belongs to us from now on, until the child has been reaped.
enum class Leader : int;
void remember(pid_t pid, int pidfd, Leader leads);

// Reaps those that have exited and lead no session, and says how many exits wait to be taken. What a leader leaves behind
// in its process group is killed first: as long as it is a zombie, its number is taken.
size_t sweep();

// Closes the pidfds of what was swept. To be called after each sweep, but not before what is urgent: it takes longer than
// the sweep itself.
void close_swept();

// Whether exits were told that the sweep left: leaders of sessions, children that another process traces. They are not
// watched any more, since they would be told for ever; SIGCHLD tells of them too.
bool hears_unswept();

// Leaves SIGCHLD to a thread of its own (signals.cc), so that it does not interrupt the main thread, which hears of exits
// through `watch_exits`. Does nothing when there can be no such thread.
void hear_exits_aside();

// Whether there is anything to read in the self-pipe.
bool has_signals();

// Whether SIGCHLD was read since this was last asked. It may have come after the last sweep, and will not come again.
bool takes_exits_read();

// Each part's functions, put on the addon's exports.
void install_channel(Napi::Env env, Napi::Object exports);
void install_fds(Napi::Env env, Napi::Object exports);
void install_image(Napi::Env env, Napi::Object exports);
void install_leave(Napi::Env env, Napi::Object exports);
void install_listeners(Napi::Env env, Napi::Object exports);
void install_lives(Napi::Env env, Napi::Object exports);
void install_loop(Napi::Env env, Napi::Object exports);
void install_memory(Napi::Env env, Napi::Object exports);
void install_mold(Napi::Env env, Napi::Object exports);
void install_mute(Napi::Env env, Napi::Object exports);
void install_other_end(Napi::Env env, Napi::Object exports);
void install_process(Napi::Env env, Napi::Object exports);
void install_quiet(Napi::Env env, Napi::Object exports);
void install_reap(Napi::Env env, Napi::Object exports);
void install_signals(Napi::Env env, Napi::Object exports);
void install_spawn(Napi::Env env, Napi::Object exports);
void install_stack(Napi::Env env, Napi::Object exports);
void install_touch(Napi::Env env, Napi::Object exports);
void install_warm(Napi::Env env, Napi::Object exports);
void install_wills(Napi::Env env, Napi::Object exports);

template <typename Function>
void put(Napi::Env env, Napi::Object exports, const char* name, Function function) {
  exports.Set(name, Napi::Function::New(env, function, name));
}

}  // namespace monoceros
