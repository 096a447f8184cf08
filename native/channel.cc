// What goes over sockets: datagrams with descriptors between us and our children (socketpair(2), unix(7)), and words to
// others that must not hold us up.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "datagram.h"
#include "kernel.h"

namespace monoceros {
namespace {

Napi::Value channel_pair(const Napi::CallbackInfo& info) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
    fail(info.Env(), errno, "socketpair");
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, ends[0]);
  pair.Set(1u, ends[1]);
  return pair;
}

Napi::Value send(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Outgoing parcel = outgoing(info[1], info[2]);
  const bool sent = send_datagram(integer(info[0]), parcel.data.Data(), parcel.data.ByteLength(), parcel.fds);
  if (!sent && errno != EAGAIN) fail(env, errno, "sendmsg");
  return Napi::Boolean::New(env, sent);
}

// A failure is an exception here, and null and "end" are answers.
Napi::Value receive_from(Napi::Env env, int channel) {
  const Datagram datagram = receive_datagram(channel);
  if (datagram.kind == Datagram::kFailed) fail(env, datagram.error, "recvmsg");
  if (datagram.kind == Datagram::kNone) return env.Null();
  if (datagram.kind == Datagram::kEnd) return Napi::String::New(env, "end");
  Napi::Array fds = Napi::Array::New(env, datagram.fds.size());
  for (size_t i = 0; i < datagram.fds.size(); i++) fds.Set(static_cast<uint32_t>(i), datagram.fds[i]);
  Napi::Object result = Napi::Object::New(env);
  result.Set("data", Napi::Buffer<uint8_t>::Copy(env, datagram.data.data(), datagram.data.size()));
  result.Set("fds", fds);
  return result;
}

Napi::Value receive(const Napi::CallbackInfo& info) { return receive_from(info.Env(), integer(info[0])); }

double now() {
  struct timespec time {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

Napi::Value receive_now(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  struct pollfd one {integer(info[0]), POLLIN, 0};
  const double until = now() + info[1].As<Napi::Number>().DoubleValue();
  for (;;) {
    const double left = until - now();
    const struct timespec wait {static_cast<time_t>(left > 0 ? left / 1e3 : 0),
                               static_cast<long>(left > 0 ? (left - 1e3 * static_cast<time_t>(left / 1e3)) * 1e6 : 0)};
    const int ready = ppoll(&one, 1, &wait, nullptr);
    if (ready == -1 && errno == EINTR) continue;
    if (ready == -1) fail(env, errno, "poll");
    uv_update_time(loop_of(env));  // it has stood still meanwhile: timers that are started now would be early
    if (ready == 0) return env.Null();
    return receive_from(env, integer(info[0]));
  }
}

// send(2) instead of write(2), whose blocking is a matter of the open file, which is shared: MSG_DONTWAIT is ours alone.
Napi::Value write_now(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array data = info[1].As<Napi::Uint8Array>();
  ssize_t written;
  do written = ::send(integer(info[0]), data.Data(), data.ByteLength(), MSG_DONTWAIT | MSG_NOSIGNAL);
  while (written == -1 && errno == EINTR);
  if (written == -1 && errno != EAGAIN) fail(info.Env(), errno, "send", std::to_string(integer(info[0])));
  return Napi::Number::New(info.Env(), static_cast<double>(written == -1 ? 0 : written));
}

void notify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = text(info[0], "sendto");
  const std::string words = info[1].As<Napi::String>().Utf8Value();
  struct sockaddr_un name {};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) fail(env, path.empty() ? EINVAL : ENAMETOOLONG, "sendto", path);
  memcpy(name.sun_path, path.data(), path.size());
  if (path[0] == '@') name.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd == -1) fail(env, errno, "socket", path);
  const socklen_t size = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + path.size());
  const ssize_t sent = sendto(fd, words.data(), words.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                              reinterpret_cast<const struct sockaddr*>(&name), size);
  const int error = errno;
  close(fd);
  if (sent == -1) fail(env, error, "sendto", path);
}

}  // namespace

void install_channel(Napi::Env env, Napi::Object exports) {
  put(env, exports, "channelPair", channel_pair);
  put(env, exports, "send", send);
  put(env, exports, "receive", receive);
  put(env, exports, "receiveNow", receive_now);
  put(env, exports, "writeNow", write_now);
  put(env, exports, "notify", notify);
}

}  // namespace monoceros
