// The JavaScript stack of a main thread that does not come back to its loop. N-API has no word for it: the functions
// are V8's and Node's own, looked up by name, and their absence is an answer.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

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

uv_thread_t watcher;
void* isolate;
RequestInterrupt request_interrupt;
PrintStack print_stack;

// On the main thread, in the middle of whatever JavaScript it was running.
void print(void*, void*) {
  fprintf(stderr, "process %d is stuck at:\n", static_cast<int>(getpid()));
  print_stack(isolate, kPrefixAt);
  fflush(stderr);
}

void wait_for_alarm(void* fd) {
  struct pollfd alarm {static_cast<int>(reinterpret_cast<intptr_t>(fd)), POLLIN, 0};
  for (;;) {
    if (poll(&alarm, 1, -1) == -1 && errno != EINTR) return;
    if (alarm.revents & (POLLNVAL | POLLERR)) return;
    uint64_t rung = 0;
    if (read(alarm.fd, &rung, sizeof rung) != sizeof rung) continue;
    if (rung >= kEnd) return;
    request_interrupt(isolate, print, nullptr);
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
