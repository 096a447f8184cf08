#include "datagram.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

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

}  // namespace monoceros
