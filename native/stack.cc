// What a main thread does that does not come back to its loop: its JavaScript stack. N-API has no word for it: the functions
// are V8's and Node's own, looked up by name, and their absence is an answer.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "insides.h"
#include "kernel.h"

namespace monoceros {
namespace {

using GetCurrent = void* (*)();
using Interrupt = void (*)(void* isolate, void* data);
using RequestInterrupt = void (*)(void* isolate, Interrupt, void* data);
using PrintStack = void (*)(void* isolate, int prefix);

constexpr int kPrefixAt = 0;  // StackTracePrefix::kAt: "    at name (file:line:column)"

// Rung by ourselves: the watcher ends. The arbiter rings once each time.
constexpr uint64_t kEnd = uint64_t{1} << 32;

// A loop that has not waited for that long is busy.
constexpr int kBusyAfterMs = 100;

uv_thread_t watcher;
uv_loop_t* loop;
void* isolate;
RequestInterrupt request_interrupt;
PrintStack print_stack;
// How long the loop had waited when it was found busy.
std::atomic<uint64_t> waited_before;

// Time that the loop has spent waiting for events, the wait of now included; Node has it counted
// (`performance.eventLoopUtilization`).
bool has_waited_since(uint64_t before) { return uv_metrics_idle_time(loop) != before; }

// May be called on both threads at once: one write.
void say_that_it_waits() { dprintf(STDERR_FILENO, "process %d is not busy: its event loop waits\n", static_cast<int>(getpid())); }

// On the main thread, in the middle of whatever JavaScript it was running; or of the first that it runs after a system
// call or a wait.
void print(void*, void*) {
  if (has_waited_since(waited_before)) return say_that_it_waits();
  fprintf(stderr, "process %d is busy at:\n", static_cast<int>(getpid()));
  print_stack(isolate, kPrefixAt);
  fflush(stderr);
}

// An idle process would run the interrupt in its next timer, which is not what it is busy with.
void tell() {
  waited_before = uv_metrics_idle_time(loop);
  poll(nullptr, 0, kBusyAfterMs);
  if (has_waited_since(waited_before)) say_that_it_waits();
  else request_interrupt(isolate, print, nullptr);
}

void wait_for_alarm(void* fd) {
  struct pollfd alarm {static_cast<int>(reinterpret_cast<intptr_t>(fd)), POLLIN, 0};
  for (;;) {
    if (poll(&alarm, 1, -1) == -1 && errno != EINTR) return;
    if (alarm.revents & (POLLNVAL | POLLERR)) return;
    uint64_t rung = 0;
    if (read(alarm.fd, &rung, sizeof rung) != sizeof rung) continue;
    if (rung >= kEnd) return;
    tell();
  }
}

// With every signal blocked: signals are the main thread's. Nobody joins it; it ends with the process.
int start_thread(int alarm) {
  const SignalsBlocked blocked;
  const uv_thread_options_t options{UV_THREAD_HAS_STACK_SIZE, 128 * 1024};
  return uv_thread_create_ex(&watcher, &options, wait_for_alarm, reinterpret_cast<void*>(intptr_t{alarm}));
}

Napi::Value watch_for_stuck_stack(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto get_current = reinterpret_cast<GetCurrent>(symbol(insides::kGetCurrent));
  if (!get_current) return Napi::String::New(env, insides::kGetCurrent);
  request_interrupt = reinterpret_cast<RequestInterrupt>(symbol(insides::kRequestInterrupt));
  if (!request_interrupt) return Napi::String::New(env, insides::kRequestInterrupt);
  print_stack = reinterpret_cast<PrintStack>(symbol(insides::kPrintStack));
  if (!print_stack) return Napi::String::New(env, insides::kPrintStack);
  isolate = get_current();
  loop = loop_of(env);
  const int error = start_thread(integer(info[0]));
  if (error) fail(env, -error, "pthread_create");
  return env.Null();
}

// Of the one that was started last, on the same alarm.
void end_stack_watch(const Napi::CallbackInfo& info) {
  if (write(integer(info[0]), &kEnd, sizeof kEnd) == -1) fail(info.Env(), errno, "write");
  uv_thread_join(&watcher);
}

Napi::Value new_alarm(const Napi::CallbackInfo& info) {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd == -1) fail(info.Env(), errno, "eventfd");
  return Napi::Number::New(info.Env(), fd);
}

// EAGAIN: it has been rung 2^64 times and nobody came.
void ring(const Napi::CallbackInfo& info) {
  const uint64_t once = 1;
  if (write(integer(info[0]), &once, sizeof once) == -1 && errno != EAGAIN) fail(info.Env(), errno, "write");
}

}  // namespace

void install_stack(Napi::Env env, Napi::Object exports) {
  put(env, exports, "watchForStuckStack", watch_for_stuck_stack);
  put(env, exports, "endStackWatch", end_stack_watch);
  put(env, exports, "alarm", new_alarm);
  put(env, exports, "ring", ring);
}

}  // namespace monoceros
