// How a forked process leaves. Node's own way joins threads that the fork did not copy: it crashes or hangs. Node lets an
// embedder say what happens instead (node::SetProcessExitHandler), when everything has been said and the exit code is known.
#include <unistd.h>

#include <functional>

#include "insides.h"
#include "kernel.h"

namespace node {
class Environment;
}

namespace monoceros {
namespace {

// Of these functions no header can be included: one binary serves all versions of Node. A v8::Local is one pointer.
using GetCurrent = void* (*)();
using GetContext = void* (*)(void* isolate);
using GetEnvironment = node::Environment* (*)(void* context);
using Handler = std::function<void(node::Environment*, int)>;
using SetHandler = void (*)(node::Environment*, Handler&&);
using LeaveAsNode = void (*)(node::Environment*, int);

pid_t mold = 0;
LeaveAsNode leave_as_node = nullptr;

void leave(node::Environment* environment, int code) {
  if (getpid() != mold) _exit(code);
  leave_as_node(environment, code);
}

// Node takes itself apart without having asked to exit: when somebody caught what an `exit` handler threw. With 0 then,
// unless there is a process.exitCode, which cannot be known here.
void taken_apart(void*) {
  if (getpid() != mold) _exit(0);
}

Napi::Value leave_by_exit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  constexpr const char* names[] = {insides::kGetCurrent, insides::kGetContext, insides::kGetEnvironment,
                                   insides::kSetExitHandler, insides::kExitHandler};
  void* found[5];
  for (int i = 0; i < 5; i++) {
    found[i] = symbol(names[i]);
    if (!found[i]) return Napi::String::New(env, names[i]);
  }
  void* context = reinterpret_cast<GetContext>(found[1])(reinterpret_cast<GetCurrent>(found[0])());
  mold = getpid();
  leave_as_node = reinterpret_cast<LeaveAsNode>(found[4]);
  reinterpret_cast<SetHandler>(found[3])(reinterpret_cast<GetEnvironment>(found[2])(context), leave);
  napi_add_env_cleanup_hook(env, taken_apart, nullptr);
  return env.Null();
}

}  // namespace

void install_leave(Napi::Env env, Napi::Object exports) { put(env, exports, "leaveByExit", leave_by_exit); }

}  // namespace monoceros
