// A mold: a running Node that forks without exec. What the fork needs of V8's memory, of libc and of libuv.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "datagram.h"
#include "kernel.h"

namespace monoceros {
namespace {

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

// A mold that can fork no more, or whose adopter is gone and has nobody to fork for.
[[noreturn]] void leave() { _exit(0); }

// What the middle process says about the child; it shares this memory with the mold.
struct Outcome {
  volatile pid_t child;
  volatile int error;
};

// Forks a child whose parent is gone at once, so that the nearest subreaper adopts it. True in the child. The middle
// process is a vfork: it borrows this memory and stack, so that page tables are copied once, for the child, and not for
// a process that only exits. glibc's own fork makes the child, since malloc, stdio and thread ids must be right in it.
// Returns to the mold after the middle has been reaped: only then has the adoption happened. One that was killed may have
// held locks of this memory, malloc's for one, and have a child that nobody can name: then the mold ends as well, and the
// child, whose request nobody answers, finds its channel closed.
bool fork_orphan(Outcome& outcome) {
  const SignalsBlocked blocked;  // unblocked again in the mold and in the child, by leaving this function
  outcome.child = 0;
  outcome.error = 0;
  const pid_t middle = vfork();
  if (middle == 0) {
    setpgid(0, 0);  // the child's as well until it leads its own: whoever reaps the mold kills what is left of the mold's
    const pid_t child = fork();
    if (child == 0) return true;
    outcome.child = child;
    outcome.error = child == -1 ? errno : 0;
    _exit(0);
  }
  if (middle == -1) {
    outcome.child = -1;
    outcome.error = errno;
  } else {
    int status = 0;
    while (waitpid(middle, &status, 0) == -1 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) leave();
  }
  return false;
}

void wait_for(int channel, short events) {
  struct pollfd one {channel, events, 0};
  while (poll(&one, 1, -1) == -1 && errno == EINTR) {
  }
}

// A message is JSON (lib/channel/mold-messages.ts).
bool says(const Datagram& message, const char* text) {
  const auto& data = message.data;
  return std::search(data.begin(), data.end(), text, text + strlen(text)) != data.end();
}

// A request has a number; the rest of it is for the child.
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

// The mold's own 1 and 2, which no child has: it holds no log that was moved away.
void reopen(const Datagram& message) {
  int place = STDOUT_FILENO;
  for (const int fd : message.fds) {
    if (place <= STDERR_FILENO) dup2(fd, place++);
    close(fd);
  }
}

// The next request; the end of the channel ends the mold. A request whose descriptors found no room is answered EMFILE.
Datagram next_request(int channel) {
  for (;;) {
    Datagram datagram = receive_datagram(channel);
    if (datagram.kind == Datagram::kSome && says(datagram, "\"reopen\"")) {
      reopen(datagram);
    } else if (datagram.kind == Datagram::kSome) {
      return datagram;
    } else if (datagram.kind == Datagram::kNone) {
      wait_for(channel, POLLIN);
    } else if (datagram.kind == Datagram::kFailed && datagram.error == EMFILE) {
      answer(channel, number_of(datagram.data), Outcome{-1, EMFILE});
    } else {
      leave();
    }
  }
}

// The wake-ups that the loop has not come to yet. uv_loop_fork forgets them, and who has sent one may count on it ever after:
// V8 posts no second task to clean up after a FinalizationRegistry as long as the first has not run.
std::vector<uv_async_t*> wake_ups_of(uv_loop_t* loop) {
  std::vector<uv_async_t*> result;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* result) {
        auto* async = reinterpret_cast<uv_async_t*>(handle);
        if (handle->type == UV_ASYNC && !uv_is_closing(handle) && async->pending)
          static_cast<std::vector<uv_async_t*>*>(result)->push_back(async);
      },
      &result);
  return result;
}

Napi::Value child_of(Napi::Env env, uv_loop_t* loop, const Datagram& request) {
  const std::vector<uv_async_t*> wake_ups = wake_ups_of(loop);
  const int error = uv_loop_fork(loop);
  if (error) fail(env, -error, "uv_loop_fork");
  for (uv_async_t* async : wake_ups) uv_async_send(async);
  uv_update_time(loop);
  Napi::Array fds = Napi::Array::New(env, request.fds.size());
  for (size_t i = 0; i < request.fds.size(); i++) fds.Set(static_cast<uint32_t>(i), request.fds[i]);
  Napi::Object result = Napi::Object::New(env);
  result.Set("request", number_of(request.data));
  result.Set("data", Napi::Buffer<uint8_t>::Copy(env, request.data.data(), request.data.size()));
  result.Set("fds", fds);
  return result;
}

// Node opens its inspector at SIGUSR1, on another thread: a mold could not be forked with it, or would open one in every
// child instead.
void ignore_usr1(struct sigaction* before) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGUSR1, &ignore, before);
}

// What Node does at SIGUSR1, where that was ignored before anything was loaded.
struct sigaction of_node {};
bool is_ignored = false;

void ignore_inspector_signal(const Napi::CallbackInfo&) {
  ignore_usr1(&of_node);
  is_ignored = true;
}

// As long as this lives, which in a child is until it is itself, no listener hears the signal either.
class InspectorSignalIgnored {
 public:
  InspectorSignalIgnored() {
    ignore_usr1(&before_);
    // Else the app listens.
    if (is_ignored && before_.sa_handler == SIG_IGN) before_ = of_node;
  }
  ~InspectorSignalIgnored() { sigaction(SIGUSR1, &before_, nullptr); }
  InspectorSignalIgnored(const InspectorSignalIgnored&) = delete;
  InspectorSignalIgnored& operator=(const InspectorSignalIgnored&) = delete;

 private:
  struct sigaction before_ {};
};

// Blocks for ever; returns in the children only.
Napi::Value serve_forks(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int channel = integer(info[0]);
  uv_loop_t* loop = loop_of(env);
  std::vector<Range> ranges;
  ranges.reserve(4096);
  const InspectorSignalIgnored ignored;
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

}  // namespace

void install_mold(Napi::Env env, Napi::Object exports) {
  put(env, exports, "serveForks", serve_forks);
  put(env, exports, "ignoreInspectorSignal", ignore_inspector_signal);
}

}  // namespace monoceros
