// Forking a running Node without exec. What of Node's and V8's insides is relied on stands in this file and is asked for
// by name; what is missing is said, and then nothing is forked.
#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <csignal>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "datagram.h"
#include "kernel.h"

namespace monoceros {
namespace {

// ── V8's worker threads ─────────────────────────────────────────────────────────────────────────────────────────────
//
// They do not survive a fork, but V8 goes on posting tasks to them and waits for what it posted. Node's platform is an
// object with virtual functions; the two that post are replaced by nothing. A task arrives as a unique_ptr, which by the
// C++ ABI the caller destroys, so nothing is lost with it; work that V8 joins is then done by the main thread itself.

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

// The slot of a function in the table, null when it is not there. The table's size is known from its symbol.
void** slot_of(void** table, size_t slots, const Poster& poster) {
  for (const char* name : {poster.since_node_22, poster.node_20}) {
    void* function = dlsym(RTLD_DEFAULT, name);
    if (!function) continue;
    void** end = table + slots;
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
  void** table = static_cast<void**>(dlsym(RTLD_DEFAULT, kVtable));
  if (!table) return Napi::String::New(env, kVtable);
  Dl_info found{};
  void* symbol = nullptr;
  if (!dladdr1(table, &found, &symbol, RTLD_DL_SYMENT) || !symbol) return Napi::String::New(env, kVtable);
  const size_t slots = static_cast<ElfW(Sym)*>(symbol)->st_size / sizeof(void*);
  void** posting[2];
  for (int i = 0; i < 2; i++) {
    posting[i] = slot_of(table, slots, kPosters[i]);
    if (!posting[i]) return Napi::String::New(env, kPosters[i].since_node_22);
  }
  for (void** slot : posting)
    if (!replace(slot)) fail(env, errno, "mprotect", kVtable);
  return env.Null();
}

// ── what a quiet process shows ──────────────────────────────────────────────────────────────────────────────────────

Napi::Value loop_alive(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), uv_loop_alive(loop_of(info.Env())) != 0);
}

std::string name_of_thread(const char* tid) {
  char text[64] = "";
  const int fd = open((std::string("/proc/self/task/") + tid + "/comm").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd == -1) return text;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  return std::string(text, size > 0 ? static_cast<size_t>(size) - 1 : 0);
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  DIR* directory = opendir("/proc/self/task");
  if (!directory) fail(env, errno, "opendir", "/proc/self/task");
  Napi::Array result = Napi::Array::New(env);
  while (const struct dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    Napi::Object one = Napi::Object::New(env);
    one.Set("id", atoi(entry->d_name));
    one.Set("name", name_of_thread(entry->d_name));
    result.Set(result.Length(), one);
  }
  closedir(directory);
  return result;
}

// ── the fork ────────────────────────────────────────────────────────────────────────────────────────────────────────

struct Range {
  uintptr_t from, to;
};

// V8 maps its heap MADV_DONTFORK and marks new pages again, hence before every fork. The list is complete before the
// first change, since a change may join or part mappings. What refuses (vvar and the like) is copied anyway.
bool let_all_memory_fork(std::vector<Range>& ranges) {
  const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd == -1) return false;
  ranges.clear();
  char buffer[16384];
  Range range{0, 0};
  uintptr_t* number = &range.from;
  bool in_line = true;
  for (ssize_t size; (size = read(fd, buffer, sizeof buffer)) > 0;) {
    for (ssize_t i = 0; i < size; i++) {
      const char c = buffer[i];
      if (c == '\n') {
        ranges.push_back(range);
        range = {0, 0};
        number = &range.from;
        in_line = true;
      } else if (in_line && c == '-') {
        number = &range.to;
      } else if (in_line && c == ' ') {
        in_line = false;
      } else if (in_line) {
        *number = *number * 16 + static_cast<uintptr_t>(c <= '9' ? c - '0' : c - 'a' + 10);
      }
    }
  }
  close(fd);
  for (const Range& one : ranges) madvise(reinterpret_cast<void*>(one.from), one.to - one.from, MADV_DOFORK);
  return true;
}

// What the middle process says about the child; it shares this memory with the mold.
struct Outcome {
  volatile pid_t child;
  volatile int error;
};

void block_signals(sigset_t* before) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, before);
}

// Forks a child whose parent is gone at once, so that the nearest subreaper adopts it. True in the child. The middle
// process is a vfork: it borrows this memory and stack, so that page tables are copied once, for the child, and not for
// a process that only exits. glibc's own fork makes the child, since malloc, stdio and thread ids must be right in it.
// Returns to the mold after the middle has been reaped: only then has the adoption happened.
bool fork_orphan(Outcome& outcome) {
  sigset_t before;
  block_signals(&before);
  outcome.child = 0;
  outcome.error = 0;
  const pid_t middle = vfork();
  if (middle == 0) {
    const pid_t child = fork();
    if (child == 0) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      return true;
    }
    outcome.child = child;
    outcome.error = child == -1 ? errno : 0;
    _exit(0);
  }
  if (middle == -1) {
    outcome.child = -1;
    outcome.error = errno;
  } else {
    while (waitpid(middle, nullptr, 0) == -1 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return false;
}

// ── serving ─────────────────────────────────────────────────────────────────────────────────────────────────────────

// A mold whose adopter is gone has nobody to fork for.
[[noreturn]] void leave() { _exit(0); }

void wait_for(int channel, short events) {
  struct pollfd one {channel, events, 0};
  while (poll(&one, 1, -1) == -1 && errno == EINTR) {
  }
}

// A request is JSON with its number (lib/channel/mold-messages.ts); the rest of it is for the child.
uint32_t number_of(const std::vector<uint8_t>& request) {
  static constexpr char kKey[] = "\"request\":";
  const auto key = std::search(request.begin(), request.end(), kKey, kKey + sizeof kKey - 1);
  uint32_t number = 0;
  if (key != request.end())
    for (auto at = key + sizeof kKey - 1; at != request.end() && *at >= '0' && *at <= '9'; ++at)
      number = number * 10 + static_cast<uint32_t>(*at - '0');
  return number;
}

std::string answer_to(uint32_t request, const Outcome& outcome) {
  const std::string head = "\"request\":" + std::to_string(request);
  if (outcome.error) return "{\"kind\":\"forkFailed\"," + head + ",\"text\":\"fork: " + uv_err_name(-outcome.error) + "\"}";
  return "{\"kind\":\"forked\"," + head + ",\"pid\":" + std::to_string(outcome.child) + "}";
}

void answer(int channel, uint32_t request, const Outcome& outcome) {
  const std::string text = answer_to(request, outcome);
  for (;;) {
    if (send(channel, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) != -1) return;
    if (errno == EAGAIN) wait_for(channel, POLLOUT);
    else if (errno != EINTR) leave();
  }
}

// The next request; the end of the channel ends the mold. A request whose descriptors found no room is answered EMFILE.
Datagram next_request(int channel) {
  for (;;) {
    Datagram datagram = receive_datagram(channel);
    if (datagram.kind == Datagram::kSome) return datagram;
    if (datagram.kind == Datagram::kNone) {
      wait_for(channel, POLLIN);
    } else if (datagram.kind == Datagram::kFailed && datagram.error == EMFILE) {
      answer(channel, number_of(datagram.data), Outcome{-1, EMFILE});
    } else {
      leave();
    }
  }
}

Napi::Value child_of(Napi::Env env, uv_loop_t* loop, const Datagram& request) {
  const int error = uv_loop_fork(loop);
  if (error) fail(env, -error, "uv_loop_fork");
  uv_update_time(loop);
  Napi::Array fds = Napi::Array::New(env, request.fds.size());
  for (size_t i = 0; i < request.fds.size(); i++) fds.Set(static_cast<uint32_t>(i), request.fds[i]);
  Napi::Object result = Napi::Object::New(env);
  result.Set("request", number_of(request.data));
  result.Set("data", Napi::Buffer<uint8_t>::Copy(env, request.data.data(), request.data.size()));
  result.Set("fds", fds);
  return result;
}

// Blocks for ever; returns in the children only.
Napi::Value serve_forks(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int channel = integer(info[0]);
  uv_loop_t* loop = loop_of(env);
  std::vector<Range> ranges;
  ranges.reserve(4096);
  for (;;) {
    const Datagram request = next_request(channel);
    Outcome outcome{-1, 0};
    if (!let_all_memory_fork(ranges)) outcome.error = errno;
    else if (fork_orphan(outcome)) {
      close(channel);
      return child_of(env, loop, request);
    }
    for (const int fd : request.fds) close(fd);
    answer(channel, number_of(request.data), outcome);
  }
}

// Requests in flight: file and dns work, writes, connects (uv.h).
Napi::Value loop_requests(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), loop_of(info.Env())->active_reqs.count);
}

void become_leader(const Napi::CallbackInfo& info) {
  const bool session = info[0].ToBoolean();
  if ((session ? setsid() : setpgid(0, 0)) == -1) fail(info.Env(), errno, session ? "setsid" : "setpgid");
}

}  // namespace

void install_mold(Napi::Env env, Napi::Object exports) {
  put(env, exports, "muteWorkerThreads", mute_worker_threads);
  put(env, exports, "loopAlive", loop_alive);
  put(env, exports, "loopRequests", loop_requests);
  put(env, exports, "threads", threads);
  put(env, exports, "serveForks", serve_forks);
  put(env, exports, "becomeLeader", become_leader);
}

}  // namespace monoceros
