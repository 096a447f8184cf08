// What is sent to others and never waits: log lines to an inherited socket, messages to the service manager.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "kernel.h"

namespace monoceros {
namespace {

Napi::Value write_now(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array data = info[1].As<Napi::Uint8Array>();
  ssize_t sent;
  do sent = ::send(integer(info[0]), data.Data(), data.ByteLength(), MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent == -1 && errno == EINTR);
  if (sent == -1 && errno != EAGAIN) fail(info.Env(), errno, "send");
  return Napi::Number::New(info.Env(), sent == -1 ? 0 : static_cast<double>(sent));
}

// An abstract name begins with a NUL and is as long as the address says; it has no NUL at its end (unix(7)).
Napi::Value notify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = text(info[0], "sendto");
  const std::string message = info[1].As<Napi::String>();
  struct sockaddr_un address {};
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) fail(env, EINVAL, "sendto", path);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const socklen_t length = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + path.size());

  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket == -1) fail(env, errno, "socket");
  ssize_t sent;
  do
    sent = sendto(socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                  reinterpret_cast<struct sockaddr*>(&address), length);
  while (sent == -1 && errno == EINTR);
  const int error = errno;
  close(socket);
  if (sent == -1) fail(env, error, "sendto", path);
  return env.Undefined();
}

}  // namespace

void install_sending(Napi::Env env, Napi::Object exports) {
  put(env, exports, "writeNow", write_now);
  put(env, exports, "notify", notify);
}

}  // namespace monoceros
