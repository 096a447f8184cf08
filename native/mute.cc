// V8's worker threads do not survive a fork, but V8 goes on posting tasks to them and waits for what it posted. Node's
// platform is an object with virtual functions; the two that post are replaced by nothing. A task arrives as a
// unique_ptr, which by the C++ ABI the caller destroys, so nothing is lost with it; work that V8 joins is then done by
// the main thread itself.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "insides.h"
#include "kernel.h"

namespace monoceros {
namespace {

void post_nothing() {}

// The slot of a function in the table, null when it is not there. The table has fewer slots than this, and what stands
// behind it in the binary can be read.
constexpr size_t kMostSlots = 64;

void** slot_of(void** table, const insides::Renamed& poster) {
  for (const char* name : {poster.since_node_22, poster.node_20}) {
    void* function = symbol(name);
    if (!function) continue;
    void** end = table + kMostSlots;
    void** found = std::find(table, end, function);
    if (found != end) return found;
    found = std::find(table, end, reinterpret_cast<void*>(post_nothing));  // muted before
    if (found != end) return found;
  }
  return nullptr;
}

bool replace(void** slot) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* start = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(slot) & ~(page - 1));
  if (mprotect(start, page, PROT_READ | PROT_WRITE) == -1) return false;
  *slot = reinterpret_cast<void*>(post_nothing);
  return mprotect(start, page, PROT_READ) == 0;
}

Napi::Value mute_worker_threads(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  void** table = static_cast<void**>(symbol(insides::kPlatform));
  if (!table) return Napi::String::New(env, insides::kPlatform);
  void** posting[2];
  for (int i = 0; i < 2; i++) {
    const insides::Renamed& poster = insides::kPosters[i];
    posting[i] = slot_of(table, poster);
    if (!posting[i]) return Napi::String::New(env, std::string(poster.since_node_22) + " or " + poster.node_20);
  }
  for (void** slot : posting)
    if (!replace(slot)) fail(env, errno, "mprotect", insides::kPlatform);
  return env.Null();
}

}  // namespace

void install_mute(Napi::Env env, Napi::Object exports) { put(env, exports, "muteWorkerThreads", mute_worker_threads); }

}  // namespace monoceros
