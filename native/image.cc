// Replacing this process's image by another version of ourselves, without losing a signal and with a way back.
//
//   execve, all signals blocked ─► preloaded (LD_PRELOAD): begin() ─► Node boots ─► addon loaded ─► openSignals ─► commit
//                                     handlers write to the pipe       would set TERM and INT     its watchers    no way
//                                     that the image before had        to its own: guarded        are chained to  back now
//
// Until `commit` every orderly end of the process (exit(3), hence whatever JavaScript throws), and the alarm that finds a
// boot that hangs, executes the command of before instead. A crash of native code is not survived.
#include "image.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel.h"

#ifdef __GLIBC__
// The same function by a name that nobody stands before. (dlsym(3) would ask for a newer glibc than Node does.)
extern "C" int __sigaction(int, const struct sigaction*, struct sigaction*);
#endif

namespace monoceros {
namespace {

constexpr int kSignals = 65;  // 1 to 64
constexpr int kProbed = 77;
// How long the new image may take until it commits, in seconds.
constexpr unsigned kPatience = 60;

bool preloaded = false;
volatile bool guarding = false;
bool watched[kSignals];
struct sigaction wanted[kSignals];

// What go_back needs stands here before anything can go wrong; never freed, since destructors run before it does.
struct WayBack {
  char* file;
  char** argv;
  char** env;
  int* keep;
  int keep_count;
};
WayBack* way_back = nullptr;

void block_all() noexcept {
  const unsigned long all = ~0ul;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

void stop_alarm() noexcept {
  const struct itimerval never {};
  setitimer(ITIMER_REAL, &never, nullptr);
}

// Only async-signal-safe calls: it is a signal handler as well.
void go_back() noexcept {
  const WayBack* back = way_back;
  if (!back) return;
  way_back = nullptr;
  block_all();
  stop_alarm();
  for (int i = 0; i < back->keep_count; i++) fcntl(back->keep[i], F_SETFD, 0);
  execve(back->file, back->argv, back->env);
  _exit(70);
}

// A memory of strings, each ended by NUL: the file, then the arguments, the environment and the descriptors, each list
// preceded by its length.
struct Reader {
  char* at;
  char* end;

  char* next() noexcept {
    if (at >= end) return nullptr;
    char* text = at;
    at += strnlen(text, static_cast<size_t>(end - at)) + 1;
    return at <= end ? text : nullptr;
  }

  int number() noexcept {
    const char* text = next();
    return text ? atoi(text) : -1;
  }

  char** list(int& count) noexcept {
    count = number();
    if (count < 0) return nullptr;
    char** items = static_cast<char**>(calloc(static_cast<size_t>(count) + 1, sizeof(char*)));
    for (int i = 0; items && i < count; i++)
      if (!(items[i] = next())) return nullptr;
    return items;
  }
};

WayBack* read_way_back(int fd) noexcept {
  const off_t end = lseek(fd, 0, SEEK_END);
  if (end <= 0) return nullptr;
  const size_t size = static_cast<size_t>(end);
  // A private copy: what the strings point into must outlive the descriptor.
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return nullptr;
  Reader reader{static_cast<char*>(memory), static_cast<char*>(memory) + size};
  auto* back = static_cast<WayBack*>(calloc(1, sizeof(WayBack)));
  int argc = 0, envc = 0;
  back->file = reader.next();
  back->argv = reader.list(argc);
  back->env = reader.list(envc);
  char** fds = reader.list(back->keep_count);
  if (!back->file || !back->argv || !back->env || !fds) return nullptr;
  back->keep = static_cast<int*>(calloc(static_cast<size_t>(back->keep_count) + 1, sizeof(int)));
  for (int i = 0; i < back->keep_count; i++) back->keep[i] = atoi(fds[i]);
  return back;
}

// Children must not be preloaded: what stood in the variable before is put back.
void restore_preload() noexcept {
  const char* before = getenv("MONOCEROS_PRELOAD_BEFORE");
  if (before && *before)
    setenv("LD_PRELOAD", before, 1);
  else
    unsetenv("LD_PRELOAD");
  unsetenv("MONOCEROS_PRELOAD_BEFORE");
}

// MONOCEROS_IMAGE: reading and writing end of the self-pipe, the memory of the way back (-1: none), the signals; commas.
__attribute__((constructor)) void begin() {
  if (getenv("MONOCEROS_PRELOAD_PROBE")) _exit(kProbed);
  const char* text = getenv("MONOCEROS_IMAGE");
  if (!text) return;
  int numbers[3 + kSignals];
  int count = 0;
  for (const char* at = text; at && count < 3 + kSignals; at = strchr(at, ',')) {
    if (*at == ',') at++;
    numbers[count++] = atoi(at);
  }
  unsetenv("MONOCEROS_IMAGE");
  restore_preload();
  if (count < 4) return;
  preloaded = true;
  for (int i = 3; i < count; i++)
    if (numbers[i] > 0 && numbers[i] < kSignals) watched[numbers[i]] = true;
  resume_signals(numbers[0], numbers[1], numbers + 3, count - 3);
  guarding = true;
  if (numbers[2] >= 0) {
    way_back = read_way_back(numbers[2]);
    struct sigaction late {};
    late.sa_handler = [](int) { go_back(); };
    set_action(SIGALRM, &late, nullptr);
    alarm(kPatience);
    atexit(go_back);
  }
  const unsigned long none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

Napi::Value replace(const Napi::CallbackInfo& info) {
  const SignalsBlocked blocked;  // for the next image, too; unblocked again where there is none
  replace_image(info);
  return info.Env().Undefined();
}

Napi::Value is_preloaded(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), preloaded); }

void commit(const Napi::CallbackInfo&) {
  way_back = nullptr;
  stop_alarm();
  if (preloaded) {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    set_action(SIGALRM, &usual, nullptr);
  }
}

}  // namespace

bool signals_are_guarded() noexcept { return guarding; }
struct sigaction what_was_wanted(int signal) noexcept { return wanted[signal]; }
void end_guard() noexcept { guarding = false; }

int set_action(int signal, const struct sigaction* action, struct sigaction* before) noexcept {
#ifdef __GLIBC__
  return __sigaction(signal, action, before);
#else
  using Sigaction = int (*)(int, const struct sigaction*, struct sigaction*);
  static const auto real = reinterpret_cast<Sigaction>(dlsym(RTLD_NEXT, "sigaction"));
  return real(signal, action, before);
#endif
}

void install_image(Napi::Env env, Napi::Object exports) {
  put(env, exports, "replace", replace);
  put(env, exports, "isPreloaded", is_preloaded);
  put(env, exports, "commit", commit);
}

}  // namespace monoceros

// Stands before libc's where this object was preloaded, and only there. Node gives TERM and INT handlers of its own while
// it boots, which would end the process.
extern "C" __attribute__((visibility("default"))) int sigaction(int signal, const struct sigaction* action,
                                                                 struct sigaction* before) noexcept {
  using namespace monoceros;
  if (!guarding || !action || signal < 1 || signal >= kSignals || !watched[signal])
    return set_action(signal, action, before);
  if (before) *before = wanted[signal];
  wanted[signal] = *action;
  return 0;
}
