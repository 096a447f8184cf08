// System calls that Node does not offer, and no policy: see lib/kernel/kernel.ts, whose addon.ts is the only user.
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  // Signals, children and the loop that they are reported to belong to the process, hence to its main thread.
  if (static_cast<pid_t>(syscall(SYS_gettid)) != getpid())
    throw Napi::Error::New(env, "monoceros can only be loaded in the main thread");
  monoceros::install_channel(env, exports);
  monoceros::install_fds(env, exports);
  monoceros::install_image(env, exports);
  monoceros::install_leave(env, exports);
  monoceros::install_listeners(env, exports);
  monoceros::install_lives(env, exports);
  monoceros::install_loop(env, exports);
  monoceros::install_memory(env, exports);
  monoceros::install_mold(env, exports);
  monoceros::install_mute(env, exports);
  monoceros::install_other_end(env, exports);
  monoceros::install_process(env, exports);
  monoceros::install_quiet(env, exports);
  monoceros::install_reap(env, exports);
  monoceros::install_signals(env, exports);
  monoceros::install_spawn(env, exports);
  monoceros::install_stack(env, exports);
  monoceros::install_touch(env, exports);
  monoceros::install_warm(env, exports);
  monoceros::install_wills(env, exports);
  return exports;
}

NODE_API_MODULE(monoceros, Init)
