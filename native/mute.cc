// V8's worker threads do not survive a fork, but V8 goes on posting tasks to them and waits for what it posted. Node's
// platform is an object with virtual functions; the two that post are replaced by nothing. A task arrives as a
// unique_ptr, which by the C++ ABI the caller destroys, so nothing is lost with it; work that V8 joins is then done by
// the main thread itself. What of Node's insides is relied on is asked for by name, and what is missing is said.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "kernel.h"

namespace monoceros {
namespace {

constexpr const char* kVtable = "_ZTVN4node12NodePlatformE";

struct Poster {
  const char* since_node_22;
  const char* node_20;
};
constexpr Poster kPosters[] = {
    {"_ZN4node12NodePlatform26PostTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14default_"
     "deleteIS4_EERKNS1_14SourceLocationE",
     "_ZN4node12NodePlatform18CallOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EE"},
    {"_ZN4node12NodePlatform33PostDelayedTaskOnWorkerThreadImplEN2v812TaskPriorityESt10unique_ptrINS1_4TaskESt14"
     "default_deleteIS4_EEdRKNS1_14SourceLocationE",
     "_ZN4node12NodePlatform25CallDelayedOnWorkerThreadESt10unique_ptrIN2v84TaskESt14default_deleteIS3_EEd"},
};

void post_nothing() {}

// The slot of a function in the table, null when it is not there. The table has fewer slots than this, and what stands
// behind it in the binary can be read.
constexpr size_t kMostSlots = 64;

void** slot_of(void** table, const Poster& poster) {
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
  void** table = static_cast<void**>(symbol(kVtable));
  if (!table) return Napi::String::New(env, kVtable);
  void** posting[2];
  for (int i = 0; i < 2; i++) {
    posting[i] = slot_of(table, kPosters[i]);
    if (!posting[i]) return Napi::String::New(env, kPosters[i].since_node_22);
  }
  for (void** slot : posting)
    if (!replace(slot)) fail(env, errno, "mprotect", kVtable);
  return env.Null();
}

}  // namespace

void install_mute(Napi::Env env, Napi::Object exports) { put(env, exports, "muteWorkerThreads", mute_worker_threads); }

}  // namespace monoceros
