// The self-pipe. libuv keeps one handler a signal and takes it away (SIG_DFL) when its last watcher of that signal is
// gone, so that child_process.spawn or process.on + off would end ours. Therefore each of our signals first gets a
// libuv watcher that is never closed, which makes libuv leave the disposition alone; ours is installed after it and
// calls libuv's, so that Node's own listeners hear the signal too.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "image.h"
#include "kernel.h"

namespace monoceros {
namespace {

constexpr int kSignals = 65;  // 1 to 64
constexpr size_t kThreadStack = 256 * 1024;

struct Record {
  int32_t signal;
  int32_t pid;
  uint32_t uid;
  int32_t code;
};

int reading = -1;
int writing = -1;
std::atomic<bool> unwritten[kSignals];  // lock-free, so a handler may touch it
bool taken[kSignals];
bool exits_were_read = false;
std::atomic<pid_t> exits_thread;
struct sigaction chained[kSignals];

// The kernel hands SIGCHLD to any thread that does not block it, V8's and libuv's own too, and each exit would wake one of
// them on another core. So each hears it once, and blocks it when it returns from the handler.
void leave_to_exits_thread(ucontext_t* interrupted) noexcept {
  const pid_t heir = exits_thread.load(std::memory_order_relaxed);
  if (heir != 0 && heir != static_cast<pid_t>(syscall(SYS_gettid))) sigaddset(&interrupted->uc_sigmask, SIGCHLD);
}

void on_signal(int signal, siginfo_t* info, void* context) noexcept {
  const int before = errno;
  const Record record{signal, info->si_pid, info->si_uid, info->si_code};
  if (signal == SIGCHLD) leave_to_exits_thread(static_cast<ucontext_t*>(context));
  if (write(writing, &record, sizeof record) != sizeof record) unwritten[signal].store(true);
  const struct sigaction& next = chained[signal];
  if (next.sa_flags & SA_SIGINFO)
    next.sa_sigaction(signal, info, context);
  else if (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN)
    next.sa_handler(signal);
  errno = before;
}

int install(int signal) noexcept {
  struct sigaction ours {};
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  return set_action(signal, &ours, nullptr);
}

void install_handler(Napi::Env env, int signal) {
  if (install(signal) == -1) fail(env, errno, "sigaction");
}

void take(Napi::Env env, int signal) {
  if (signal < 1 || signal >= kSignals) fail(env, EINVAL, "sigaction");
  if (taken[signal]) return;
  auto* watcher = new uv_signal_t;  // never freed: see above
  int error = uv_signal_init(loop_of(env), watcher);
  if (!error) error = uv_signal_start(watcher, [](uv_signal_t*, int) {}, signal);
  if (error) fail(env, -error, "sigaction");
  uv_unref(reinterpret_cast<uv_handle_t*>(watcher));
  if (signals_are_guarded()) {
    chained[signal] = what_was_wanted(signal);
  } else {
    if (set_action(signal, nullptr, &chained[signal]) == -1) fail(env, errno, "sigaction");
    install_handler(env, signal);
  }
  taken[signal] = true;
}

Napi::Value open_signals(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (reading == -1) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) fail(env, errno, "pipe2");
    reading = ends[0];
    writing = ends[1];
  }
  const Napi::Array signals = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < signals.Length(); i++) take(env, integer(signals.Get(i)));
  end_guard();
  return Napi::Number::New(env, reading);
}

// readSignals(records): reads records of four numbers each and says how many. When it leaves room for one of each signal,
// the pipe is empty, and the signals that had found it full are added: the order stays that of arrival.
Napi::Value read_signals(const Napi::CallbackInfo& info) {
  Napi::Int32Array room = info[0].As<Napi::Int32Array>();
  Record* records = reinterpret_cast<Record*>(room.Data());
  const size_t most = room.ByteLength() / sizeof(Record);
  ssize_t size;
  do size = read(reading, records, most * sizeof(Record));
  while (size == -1 && errno == EINTR);
  if (size == -1 && errno != EAGAIN) fail(info.Env(), errno, "read");
  size_t count = size > 0 ? static_cast<size_t>(size) / sizeof(Record) : 0;
  if (count + kSignals <= most) {
    for (int signal = 1; signal < kSignals; signal++) {
      const bool found = unwritten[signal].load(std::memory_order_relaxed) && unwritten[signal].exchange(false);
      if (found) records[count++] = Record{signal, 0, 0, SI_USER};
    }
  }
  for (size_t i = 0; i < count && !exits_were_read; i++) exits_were_read = records[i].signal == SIGCHLD;
  return Napi::Number::New(info.Env(), static_cast<uint32_t>(count));
}

// What stands in our place is not chained to: it may itself call what it replaced, which is us.
Napi::Value check_signals(const Napi::CallbackInfo& info) {
  Napi::Array replaced = Napi::Array::New(info.Env());
  for (int signal = 1; signal < kSignals; signal++) {
    if (!taken[signal]) continue;
    struct sigaction now {};
    set_action(signal, nullptr, &now);
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_signal) continue;
    install_handler(info.Env(), signal);
    replaced.Set(replaced.Length(), signal);
  }
  return replaced;
}

unsigned long bit(int signal) { return 1ul << (signal - 1); }

// By raw system call and by libuv's threads: glibc's own ask for a newer one than Node does. 32 and 33 are glibc's, which it
// sends to every thread when credentials change.
void wait_for_exits(void*) {
  prctl(PR_SET_NAME, "exits");
  const unsigned long others = ~(bit(SIGCHLD) | bit(32) | bit(33));
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &others, nullptr, sizeof others);
  // The main thread has work to do when this one wakes up: never before it, and never at its real-time priority.
  const struct sched_param none {};
  syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &none);
  exits_thread.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  for (;;) pause();
}

bool start_thread() {
  const SignalsBlocked blocked;
  uv_thread_options_t small{};
  small.flags = UV_THREAD_HAS_STACK_SIZE;
  small.stack_size = kThreadStack;
  uv_thread_t thread;
  return uv_thread_create_ex(&thread, &small, wait_for_exits, nullptr) == 0;
}

// For an image that is to go on with it.
Napi::Value signal_pipe(const Napi::CallbackInfo& info) {
  Napi::Object ends = Napi::Object::New(info.Env());
  ends.Set("read", reading);
  ends.Set("write", writing);
  return ends;
}

}  // namespace

void resume_signals(int reading_end, int writing_end, const int* signals, int count) noexcept {
  reading = reading_end;
  writing = writing_end;
  for (int i = 0; i < count; i++)
    if (signals[i] > 0 && signals[i] < kSignals) install(signals[i]);
}

void hear_exits_aside() {
  static const bool started = taken[SIGCHLD] && start_thread();
  if (!started) return;
  const unsigned long child = bit(SIGCHLD);
  syscall(SYS_rt_sigprocmask, SIG_BLOCK, &child, nullptr, sizeof child);
}

bool has_signals() {
  int bytes = 0;
  return ioctl(reading, FIONREAD, &bytes) == 0 && bytes > 0;
}

bool takes_exits_read() { return std::exchange(exits_were_read, false); }

void install_signals(Napi::Env env, Napi::Object exports) {
  put(env, exports, "openSignals", open_signals);
  put(env, exports, "readSignals", read_signals);
  put(env, exports, "checkSignals", check_signals);
  put(env, exports, "signalPipe", signal_pipe);
}

}  // namespace monoceros
