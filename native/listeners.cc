// Listening sockets: TCP and UNIX.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "kernel.h"

namespace monoceros {
namespace {

// Closes on every way out but `release`.
class Owned {
 public:
  explicit Owned(int fd) : fd_(fd) {}
  ~Owned() {
    if (fd_ != -1) close(fd_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  int get() const { return fd_; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

int stream_socket(Napi::Env env, int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd == -1) fail(env, errno, "socket");
  return fd;
}

void turn_on(Napi::Env env, int fd, int level, int option, int value = 1) {
  if (setsockopt(fd, level, option, &value, sizeof value) == -1) fail(env, errno, "setsockopt");
}

// Numbers only (with an IPv6 scope): a name would be a question to a server, and several answers.
int listen_tcp(Napi::Env env, const Napi::Object& address, int backlog, bool reuse_port) {
  const std::string host = text(address.Get("host"), "bind");
  const int port = integer(address.Get("port"));
  const std::string about = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  struct addrinfo hints {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  struct addrinfo* found = nullptr;
  if (port < 0 || port > 65535 || host.empty() ||
      getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    fail(env, EINVAL, "bind", about);
  struct sockaddr_storage name {};
  const socklen_t size = found->ai_addrlen;
  memcpy(&name, found->ai_addr, size);
  freeaddrinfo(found);

  Owned fd(stream_socket(env, name.ss_family));
  turn_on(env, fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (reuse_port) turn_on(env, fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (name.ss_family == AF_INET6) turn_on(env, fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, address.Get("v6only").ToBoolean());
  if (bind(fd.get(), reinterpret_cast<struct sockaddr*>(&name), size) == -1) fail(env, errno, "bind", about);
  if (listen(fd.get(), backlog) == -1) fail(env, errno, "listen", about);
  return fd.release();
}

struct sockaddr_un unix_name(Napi::Env env, const std::string& path, const std::string& about) {
  struct sockaddr_un name {};
  name.sun_family = AF_UNIX;
  if (path.empty()) fail(env, EINVAL, "bind", about);
  if (path.size() >= sizeof name.sun_path) fail(env, ENAMETOOLONG, "bind", about);
  memcpy(name.sun_path, path.data(), path.size());
  return name;
}

// EADDRINUSE where somebody accepts on the path, EEXIST where it is no socket at all; silent where it is free or was
// left behind by a server that is gone.
void require_free(Napi::Env env, const std::string& path) {
  struct statx found {};
  if (statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &found) == -1) {
    if (errno == ENOENT) return;
    fail(env, errno, "bind", path);
  }
  if (!S_ISSOCK(found.stx_mode)) fail(env, EEXIST, "bind", path);
  const struct sockaddr_un name = unix_name(env, path, path);
  Owned probe(stream_socket(env, AF_UNIX));
  if (connect(probe.get(), reinterpret_cast<const struct sockaddr*>(&name), sizeof name) == 0)
    fail(env, EADDRINUSE, "bind", path);
  if (errno == ECONNREFUSED || errno == ENOENT) return;
  if (errno == EACCES) fail(env, EACCES, "bind", path);
  fail(env, EADDRINUSE, "bind", path);  // EAGAIN: its queue is full; EPROTOTYPE: a datagram server
}

constexpr size_t kLongestPath = 100;  // of the 107 that every program understands, 7 are for the suffix

// The temporary name ends in ".PID~", in base 36. getsockname(2) shows it for the socket's whole life, since rename
// does not change what was bound; `without_suffix` finds the path again.
std::string suffix() {
  std::string digits;
  for (unsigned rest = static_cast<unsigned>(getpid()); rest; rest /= 36)
    digits.insert(digits.begin(), "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36]);
  return "." + digits + "~";
}

std::string without_suffix(const std::string& path) {
  const size_t dot = path.rfind('.');
  const bool ours = dot != std::string::npos && dot + 2 < path.size() && path.back() == '~' &&
                    path.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz", dot + 1) == path.size() - 1;
  return ours ? path.substr(0, dot) : path;
}

// Mode and owner through an O_PATH descriptor, so that nobody can put a link in the name's place in between. bind(2)
// takes the mode from the socket but masks it by the umask, hence the chmod.
void own(Napi::Env env, const std::string& bound, const Napi::Object& address, mode_t mode, const std::string& path) {
  Owned file(open(bound.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (file.get() == -1) fail(env, errno, "open", path);
  const auto id = [&](const char* key) {
    return given(address.Get(key)) ? address.Get(key).As<Napi::Number>().Uint32Value() : ~0u;
  };
  const uid_t uid = id("uid");
  const gid_t gid = id("gid");
  if ((uid != ~0u || gid != ~0u) && fchownat(file.get(), "", uid, gid, AT_EMPTY_PATH) == -1)
    fail(env, errno, "chown", path);
  if (chmod(("/proc/self/fd/" + std::to_string(file.get())).c_str(), mode) == -1) fail(env, errno, "chmod", path);
}

int listen_unix(Napi::Env env, const Napi::Object& address, int backlog) {
  const std::string path = text(address.Get("path"), "bind");
  const mode_t mode = given(address.Get("mode")) ? static_cast<mode_t>(integer(address.Get("mode"))) : 0666;
  if (path.size() > kLongestPath) fail(env, ENAMETOOLONG, "bind", path);
  const std::string bound = path + suffix();
  const struct sockaddr_un name = unix_name(env, bound, path);
  require_free(env, path);
  Owned fd(stream_socket(env, AF_UNIX));
  if (fchmod(fd.get(), mode & 0600) == -1) fail(env, errno, "fchmod", path);  // nobody else's before it is owned
  unlink(bound.c_str());  // left by a process that had our pid and died between bind and rename
  if (bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&name), sizeof name) == -1)
    fail(env, errno, "bind", path);
  try {
    own(env, bound, address, mode, path);
    if (listen(fd.get(), backlog) == -1) fail(env, errno, "listen", path);
    if (rename(bound.c_str(), path.c_str()) == -1) fail(env, errno, "rename", path);
  } catch (...) {
    unlink(bound.c_str());
    throw;
  }
  return fd.release();
}

Napi::Value listen_on(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object address = info[0].As<Napi::Object>();
  const Napi::Object options = info[1].As<Napi::Object>();
  const int backlog = integer(options.Get("backlog"));
  const bool tcp = address.Get("kind").As<Napi::String>().Utf8Value() == "tcp";
  return Napi::Number::New(env, tcp ? listen_tcp(env, address, backlog, options.Get("reusePort").ToBoolean())
                                    : listen_unix(env, address, backlog));
}

int option(Napi::Env env, int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, level, name, &value, &size) == -1) fail(env, errno, "getsockopt");
  return value;
}

void tell_tcp(Napi::Env env, int fd, const struct sockaddr_storage& name, socklen_t size, Napi::Object& to) {
  char host[NI_MAXHOST];
  const int error =
      getnameinfo(reinterpret_cast<const struct sockaddr*>(&name), size, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  if (error) fail(env, EINVAL, "getsockname");
  const bool v6 = name.ss_family == AF_INET6;
  to.Set("kind", "tcp");
  to.Set("host", host);
  to.Set("port", ntohs(v6 ? reinterpret_cast<const struct sockaddr_in6&>(name).sin6_port
                          : reinterpret_cast<const struct sockaddr_in&>(name).sin_port));
  if (v6) to.Set("v6only", option(env, fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0);
}

void tell_unix(const struct sockaddr_storage& name, socklen_t size, Napi::Object& to) {
  const auto& address = reinterpret_cast<const struct sockaddr_un&>(name);
  const size_t length = size - offsetof(struct sockaddr_un, sun_path);
  const bool abstract = length > 0 && address.sun_path[0] == '\0';
  const std::string bound(address.sun_path, abstract ? length : strnlen(address.sun_path, length));
  to.Set("kind", "unix");
  to.Set("path", abstract ? bound : without_suffix(bound));
}

Napi::Value listener_address(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = integer(info[0]);
  if (!option(env, fd, SOL_SOCKET, SO_ACCEPTCONN)) fail(env, EINVAL, "getsockname", std::to_string(fd));
  struct sockaddr_storage name {};
  socklen_t size = sizeof name;
  if (getsockname(fd, reinterpret_cast<struct sockaddr*>(&name), &size) == -1) fail(env, errno, "getsockname");
  Napi::Object result = Napi::Object::New(env);
  if (name.ss_family == AF_UNIX)
    tell_unix(name, size, result);
  else if (name.ss_family == AF_INET || name.ss_family == AF_INET6)
    tell_tcp(env, fd, name, size, result);
  else
    fail(env, EAFNOSUPPORT, "getsockname", std::to_string(fd));
  return result;
}

// accept(2): ECONNABORTED is about one connection that went away while it waited, not about the listener.
Napi::Value accept_one(const Napi::CallbackInfo& info) {
  for (;;) {
    const int fd = accept4(integer(info[0]), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd != -1) return Napi::Number::New(info.Env(), fd);
    if (errno == EAGAIN) return info.Env().Null();
    if (errno != EINTR && errno != ECONNABORTED) fail(info.Env(), errno, "accept4");
  }
}

}  // namespace

void install_listeners(Napi::Env env, Napi::Object exports) {
  put(env, exports, "listen", listen_on);
  put(env, exports, "listenerAddress", listener_address);
  put(env, exports, "accept", accept_one);
}

}  // namespace monoceros
