// One datagram with its descriptors, for the channel, the mold and wills.
#pragma once

#include <napi.h>
#include <sys/socket.h>

#include <cstdint>
#include <vector>

namespace monoceros {

constexpr size_t kMostFds = 253;  // SCM_MAX_FD

union Control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(kMostFds * sizeof(int))];
};

struct Datagram {
  enum Kind { kSome, kNone, kEnd, kFailed };
  Kind kind;
  int error;  // kFailed. With EMFILE the data has come, but not all its descriptors, and those that had are closed.
  std::vector<uint8_t> data;
  std::vector<int> fds;  // close-on-exec
};

// As `send` and `setWill` of lib/kernel/kernel.ts are given it; throws EINVAL where nothing can be sent of it. An empty
// datagram could not be told from the end of the channel.
struct Outgoing {
  Napi::Uint8Array data;
  std::vector<int> fds;
};
Outgoing outgoing(const Napi::Value& data, const Napi::Value& fds);

// Neither waits.
Datagram receive_datagram(int channel);
// False with errno.
bool send_datagram(int channel, const uint8_t* data, size_t size, const std::vector<int>& fds);

}  // namespace monoceros
