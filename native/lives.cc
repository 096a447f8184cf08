// Deaths that are heard of before they are over. A process that dies gives its memory back first, which takes as long as
// it has much of it (1.5 ms for 40 MB), and only then is a zombie: SIGCHLD and pidfds tell of that. What the kernel does
// before is to mark the robust futexes that the dying thread holds (get_robust_list(2)), and to wake who waits for them.
// So a process holds one, in memory that it shares with who is to hear.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <vector>

#include "kernel.h"
#include "wills.h"

#ifndef SYS_futex_waitv  // Linux 5.16
#define SYS_futex_waitv 449
#endif

namespace monoceros {
namespace {

// As struct futex_waitv, FUTEX_32 and FUTEX_WAITV_MAX of newer headers.
struct Wait {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};
constexpr uint32_t kShared = 2, kPrivate = kShared | FUTEX_PRIVATE_FLAG;
constexpr size_t kMostWaits = 128;

using Word = std::atomic<uint32_t>;

// The place of a process in the shared memory, kLife bytes. libc links the mutexes that a thread holds in both directions,
// `before` right before `next`, and has told the kernel how far from `next` the word of each is. Ours stands among them.
struct Link {
  void* before;
  void* next;
};
constexpr size_t kLife = 64, kLink = 24;

struct robust_list_head* own_list() {
  struct robust_list_head* head = nullptr;
  size_t size = 0;
  const bool known = syscall(SYS_get_robust_list, 0, &head, &size) == 0 && size == sizeof *head;
  return known ? head : nullptr;
}

// Where the word stands from the beginning of the place; -1 where this libc has its mutexes laid out otherwise.
long word_offset(const struct robust_list_head* head) {
  if (!head) return -1;
  const long at = static_cast<long>(kLink + sizeof(void*)) + head->futex_offset;
  const bool overlaps = at + 4 > static_cast<long>(kLink) && at < static_cast<long>(kLink + sizeof(Link));
  return at < 0 || at + 4 > static_cast<long>(kLife) || at % 4 || overlaps ? -1 : at;
}

char* place(const Napi::CallbackInfo& info) {
  Napi::ArrayBuffer memory = info[0].As<Napi::ArrayBuffer>();
  const int64_t at = info[1].As<Napi::Number>().Int64Value();
  if (at < 0 || at % 8 || at + static_cast<int64_t>(kLife) > static_cast<int64_t>(memory.ByteLength()))
    fail(info.Env(), EINVAL, "set_robust_list");
  return static_cast<char*>(memory.Data()) + at;
}

// The memory must stay where it is as long as this process lives, or another that is watched.
void keep(const Napi::CallbackInfo& info) {
  static std::vector<Napi::Reference<Napi::ArrayBuffer>> kept;
  const auto memory = info[0].As<Napi::ArrayBuffer>();
  for (const auto& each : kept)
    if (each.Value().StrictEquals(memory)) return;
  kept.push_back(Napi::Persistent(memory));
  kept.back().SuppressDestruct();
}

// In libc's lists the lowest bit of a pointer says that the mutex inherits priorities.
void* plain(void* next) { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(next) & ~uintptr_t{1}); }

// At each moment the list is whole: the process may be killed here as well.
Napi::Value mark_life(const Napi::CallbackInfo& info) {
  char* own = place(info);
  struct robust_list_head* head = own_list();
  const long at = word_offset(head);
  if (at == -1) return Napi::Boolean::New(info.Env(), false);
  keep(info);
  auto* link = reinterpret_cast<Link*>(own + kLink);
  void* first = head->list.next;
  link->before = &head->list;
  link->next = first;
  reinterpret_cast<Word*>(own + at)->store(static_cast<uint32_t>(syscall(SYS_gettid)));
  std::atomic_thread_fence(std::memory_order_seq_cst);
  head->list.next = reinterpret_cast<struct robust_list*>(&link->next);
  *(static_cast<void**>(plain(first)) - 1) = &link->next;
  return Napi::Boolean::New(info.Env(), true);
}

// Whatever stands before it in the list: libc adds and takes out its own meanwhile. The kernel walks no longer list.
constexpr int kLongestList = ROBUST_LIST_LIMIT;

void unmark_life(const Napi::CallbackInfo& info) {
  char* own = place(info);
  struct robust_list_head* head = own_list();
  const long word = word_offset(head);
  if (word == -1) return;
  auto* link = reinterpret_cast<Link*>(own + kLink);
  void** at = reinterpret_cast<void**>(&head->list.next);
  for (int length = 0; length < kLongestList && plain(*at) != &head->list; length++) {
    if (plain(*at) == &link->next) {
      *at = link->next;
      *(static_cast<void**>(plain(link->next)) - 1) = link->before;
      reinterpret_cast<Word*>(own + word)->store(0);
      return;
    }
    at = static_cast<void**>(plain(*at));
  }
}

// ── who hears ──────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Life {
  uint32_t pid;
  Word* word;
};

std::mutex guard;           // of what follows
std::vector<Life> watched;  // by the thread
std::vector<uint32_t> dying;
Word changed{0};            // counts what was added and removed: the thread waits for that as well

bool lives(const Life& life) { return (life.word->load() & FUTEX_TID_MASK) == life.pid; }

// The kernel wakes only where it is told that somebody waits.
bool wait_for(const Life& life, Wait& wait) {
  uint32_t seen = life.word->load();
  do {
    if ((seen & FUTEX_TID_MASK) != life.pid) return false;
  } while (!life.word->compare_exchange_weak(seen, life.pid | FUTEX_WAITERS));
  wait = {life.pid | FUTEX_WAITERS, reinterpret_cast<uintptr_t>(life.word), kShared, 0};
  return true;
}

// Takes out those who do not live any more, and says what is to be waited for. Of those beyond
// the most that can be pidfds tell, until there is room.
size_t look(Wait* waits) {
  const std::lock_guard<std::mutex> lock(guard);
  waits[0] = {changed.load(), reinterpret_cast<uintptr_t>(&changed), kPrivate, 0};
  size_t count = 1;
  const size_t before = dying.size();
  const auto is_dying = [&](const Life& life) {
    if (count < kMostWaits ? wait_for(life, waits[count]) : lives(life)) {
      count += count < kMostWaits;
      return false;
    }
    carry_out_will(static_cast<pid_t>(life.pid));
    dying.push_back(life.pid);
    return true;
  };
  watched.erase(std::remove_if(watched.begin(), watched.end(), is_dying), watched.end());
  if (dying.size() > before) ring_doorbell();
  return count;
}

// Without the system call (Linux before 5.16, or a container that forbids it) pidfds tell of every exit.
void wait_for_deaths(void*) {
  Wait waits[kMostWaits];
  for (;;) {
    const size_t count = look(waits);
    if (syscall(SYS_futex_waitv, waits, static_cast<unsigned>(count), 0, nullptr, 0) == -1 && errno != EAGAIN &&
        errno != EINTR)
      return;
  }
}

void tell_thread() {
  changed.fetch_add(1);
  syscall(SYS_futex, &changed, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
}

// With every signal blocked: signals are the main thread's. Nobody joins it; it ends with the process.
bool start_thread() {
  if (!open_doorbell()) return false;
  const SignalsBlocked blocked;
  const uv_thread_options_t options{UV_THREAD_HAS_STACK_SIZE, 128 * 1024};
  uv_thread_t thread;
  return uv_thread_create_ex(&thread, &options, wait_for_deaths, nullptr) == 0;
}

void watch_life(const Napi::CallbackInfo& info) {
  static const long at = word_offset(own_list());
  char* theirs = place(info);
  if (at == -1 || !watches_exits()) return;
  const Life life{static_cast<uint32_t>(integer(info[2])), reinterpret_cast<Word*>(theirs + at)};
  static const bool started = start_thread();
  if (!started || !lives(life)) return;
  keep(info);
  {
    const std::lock_guard<std::mutex> lock(guard);
    const auto is_it = [&](const Life& other) { return other.pid == life.pid; };
    if (std::any_of(watched.begin(), watched.end(), is_it)) return;
    watched.push_back(life);
  }
  tell_thread();
}

void forget_life(const Napi::CallbackInfo& info) {
  const auto pid = static_cast<uint32_t>(integer(info[0]));
  const auto is_it = [pid](const Life& life) { return life.pid == pid; };
  bool others_wait = false;
  {
    const std::lock_guard<std::mutex> lock(guard);
    others_wait = watched.size() >= kMostWaits;
    watched.erase(std::remove_if(watched.begin(), watched.end(), is_it), watched.end());
    dying.erase(std::remove(dying.begin(), dying.end(), pid), dying.end());
  }
  forget_wills_of(static_cast<pid_t>(pid));
  if (others_wait) tell_thread();
}

Napi::Value take_dying(const Napi::CallbackInfo& info) {
  std::vector<uint32_t> taken;
  {
    const std::lock_guard<std::mutex> lock(guard);
    taken.swap(dying);
  }
  Napi::Array result = Napi::Array::New(info.Env(), taken.size());
  for (uint32_t i = 0; i < taken.size(); i++) result.Set(i, taken[i]);
  return result;
}

}  // namespace

void install_lives(Napi::Env env, Napi::Object exports) {
  put(env, exports, "markLife", mark_life);
  put(env, exports, "unmarkLife", unmark_life);
  put(env, exports, "watchLife", watch_life);
  put(env, exports, "forgetLife", forget_life);
  put(env, exports, "takeDying", take_dying);
}

}  // namespace monoceros
