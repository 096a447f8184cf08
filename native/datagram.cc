#include "datagram.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernel.h"

namespace monoceros {
namespace {

std::vector<int> take_fds(struct msghdr& message) {
  std::vector<int> fds;
  for (struct cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const size_t before = fds.size();
    fds.resize(before + count);
    memcpy(fds.data() + before, CMSG_DATA(header), count * sizeof(int));
  }
  return fds;
}

Datagram nothing(int error) {
  if (error == EAGAIN) return {Datagram::kNone, 0, {}, {}};
  if (error == 0) return {Datagram::kEnd, 0, {}, {}};
  return {Datagram::kFailed, error, {}, {}};
}

// A peer that closed with datagrams of ours unread leaves ECONNRESET behind, which is told once and before what the peer
// had said: its last words come after it, and then the end.
bool ask_again() { return errno == EINTR || errno == ECONNRESET; }

}  // namespace

Outgoing outgoing(const Napi::Value& data, const Napi::Value& fds) {
  Outgoing result{data.As<Napi::Uint8Array>(), {}};
  if (given(fds)) {
    const Napi::Array numbers = fds.As<Napi::Array>();
    for (uint32_t i = 0; i < numbers.Length(); i++) result.fds.push_back(integer(numbers.Get(i)));
  }
  if (result.data.ByteLength() == 0 || result.fds.size() > kMostFds) fail(data.Env(), EINVAL, "sendmsg");
  return result;
}

Datagram receive_datagram(int channel) {
  ssize_t size;
  do size = recv(channel, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  while (size == -1 && ask_again());
  if (size <= 0) return nothing(size == 0 ? 0 : errno);

  Datagram datagram{Datagram::kSome, 0, std::vector<uint8_t>(static_cast<size_t>(size)), {}};
  struct iovec part {datagram.data.data(), datagram.data.size()};
  Control control{};
  struct msghdr message {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control;
  do size = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (size == -1 && ask_again());
  if (size <= 0) return nothing(size == 0 ? 0 : errno);
  datagram.fds = take_fds(message);
  if (message.msg_flags & MSG_CTRUNC) {  // our table of descriptors is full; half of them would be worse than none
    for (const int fd : datagram.fds) close(fd);
    datagram.fds.clear();
    datagram.kind = Datagram::kFailed;
    datagram.error = EMFILE;
  }
  return datagram;
}

bool send_datagram(int channel, const uint8_t* data, size_t size, const std::vector<int>& fds) {
  struct iovec part {const_cast<uint8_t*>(data), size};
  struct msghdr message {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control{};
  if (!fds.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  ssize_t sent;
  do sent = sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent == -1 && errno == EINTR);
  return sent != -1;
}

}  // namespace monoceros
