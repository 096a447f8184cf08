// Descriptors of this process.
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "kernel.h"
#include "wills.h"

namespace monoceros {
namespace {

Napi::Value pipe_ends(const Napi::CallbackInfo& info) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) fail(info.Env(), errno, "pipe2");
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("read", ends[0]);
  result.Set("write", ends[1]);
  return result;
}

// O_NONBLOCK for the opening only: a FIFO that nobody reads would hold us for ever, now it is ENXIO.
Napi::Value open_append(const Napi::CallbackInfo& info) {
  const std::string path = text(info[0], "open");
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
  if (fd == -1) fail(info.Env(), errno, "open", path);
  fcntl(fd, F_SETFL, O_APPEND);
  return Napi::Number::New(info.Env(), fd);
}

// Above 2, so that a copy never becomes somebody's standard output where those are closed.
Napi::Value dup_fd(const Napi::CallbackInfo& info) {
  const int fd = fcntl(integer(info[0]), F_DUPFD_CLOEXEC, 3);
  if (fd == -1) fail(info.Env(), errno, "fcntl", std::to_string(integer(info[0])));
  return Napi::Number::New(info.Env(), fd);
}

void dup2_fd(const Napi::CallbackInfo& info) {
  if (dup2(integer(info[0]), integer(info[1])) == -1)
    fail(info.Env(), errno, "dup2", std::to_string(integer(info[0])));
}

// close(2): after EINTR the descriptor is gone on Linux, and a second close could hit another's.
void close_fd(const Napi::CallbackInfo& info) {
  forget_wills_with(integer(info[0]));
  if (close(integer(info[0])) == -1 && errno != EINTR)
    fail(info.Env(), errno, "close", std::to_string(integer(info[0])));
}

void set_close_on_exec(const Napi::CallbackInfo& info) {
  if (fcntl(integer(info[0]), F_SETFD, info[1].ToBoolean() ? FD_CLOEXEC : 0) == -1)
    fail(info.Env(), errno, "fcntl", std::to_string(integer(info[0])));
}

void set_non_blocking(const Napi::CallbackInfo& info) {
  const int fd = integer(info[0]);
  const int flags = fcntl(fd, F_GETFL);
  const int wanted = info[1].ToBoolean() ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (flags == -1 || fcntl(fd, F_SETFL, wanted) == -1) fail(info.Env(), errno, "fcntl", std::to_string(fd));
}

Napi::Value list_fds(const Napi::CallbackInfo& info) {
  DIR* directory = opendir("/proc/self/fd");
  if (!directory) fail(info.Env(), errno, "opendir", "/proc/self/fd");
  std::vector<int> found;
  while (const struct dirent* entry = readdir(directory)) {
    char* end = nullptr;
    const long fd = strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && fd != dirfd(directory)) found.push_back(static_cast<int>(fd));
  }
  closedir(directory);
  std::sort(found.begin(), found.end());
  Napi::Array result = Napi::Array::New(info.Env(), found.size());
  for (size_t i = 0; i < found.size(); i++) result.Set(static_cast<uint32_t>(i), found[i]);
  return result;
}

Napi::Value peer(const Napi::CallbackInfo& info) {
  struct ucred credentials {};
  socklen_t size = sizeof credentials;
  if (getsockopt(integer(info[0]), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == -1)
    fail(info.Env(), errno, "getsockopt");
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", credentials.pid);
  result.Set("uid", credentials.uid);
  result.Set("gid", credentials.gid);
  return result;
}

// Between the refusal and the question the holder may have gone: then it is ours to take after all.
Napi::Value lock(const Napi::CallbackInfo& info) {
  for (;;) {
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (fcntl(integer(info[0]), F_SETLK, &whole) == 0) return Napi::Number::New(info.Env(), 0);
    if (errno == EINTR) continue;
    if (errno != EACCES && errno != EAGAIN) fail(info.Env(), errno, "fcntl");
    if (fcntl(integer(info[0]), F_GETLK, &whole) == -1) fail(info.Env(), errno, "fcntl");
    if (whole.l_type != F_UNLCK) return Napi::Number::New(info.Env(), whole.l_pid > 0 ? whole.l_pid : -1);
  }
}

}  // namespace

void install_fds(Napi::Env env, Napi::Object exports) {
  put(env, exports, "pipe", pipe_ends);
  put(env, exports, "openAppend", open_append);
  put(env, exports, "dup", dup_fd);
  put(env, exports, "dup2", dup2_fd);
  put(env, exports, "close", close_fd);
  put(env, exports, "setCloseOnExec", set_close_on_exec);
  put(env, exports, "setNonBlocking", set_non_blocking);
  put(env, exports, "listFds", list_fds);
  put(env, exports, "peer", peer);
  put(env, exports, "lock", lock);
}

}  // namespace monoceros
