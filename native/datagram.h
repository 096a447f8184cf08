// Receiving one datagram with its descriptors, for the channel and for the mold.
#pragma once

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

// Does not wait.
Datagram receive_datagram(int channel);

}  // namespace monoceros
