// Whether a process still holds the other end of a connection. A FIN does not tell: a client that is gone and one that
// has only finished writing send the same one (RFC 9293 section 3.6).
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernel.h"

namespace monoceros {
namespace {

struct End {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
};

// A socket of the other end that has sent its FIN is in one of these states (include/net/tcp_states.h in Linux).
enum : uint8_t { kFinWait1 = 4, kFinWait2 = 5, kTimeWait = 6, kClosing = 11 };
constexpr uint8_t kSentFin[] = {kFinWait1, kFinWait2, kTimeWait, kClosing};

struct Query {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

struct Found {
  bool found = false;
  uint8_t state = 0;
  uint32_t inode = 0;
};

// An IPv4 client of an IPv6 listener has an IPv4 socket.
bool is_mapped(const sockaddr_in6& address) { return IN6_IS_ADDR_V4MAPPED(&address.sin6_addr); }

void place(const End& end, bool mapped, __be16& port, __be32 (&into)[4]) {
  if (end.address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(end.address);
    port = four.sin_port;
    memcpy(into, &four.sin_addr, sizeof four.sin_addr);
    return;
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(end.address);
  port = six.sin6_port;
  if (mapped)
    memcpy(into, &six.sin6_addr.s6_addr[12], 4);
  else
    memcpy(into, &six.sin6_addr, sizeof six.sin6_addr);
}

// The TCP socket of this network namespace that has these two ends (sock_diag(7)).
Found look_up(Napi::Env env, const End& local, const End& remote) {
  Query query{};
  const bool mapped =
      local.address.ss_family == AF_INET6 && is_mapped(reinterpret_cast<const sockaddr_in6&>(local.address));
  query.header.nlmsg_len = sizeof query;
  query.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  query.header.nlmsg_flags = NLM_F_REQUEST;
  query.request.sdiag_family = mapped ? AF_INET : static_cast<uint8_t>(local.address.ss_family);
  query.request.sdiag_protocol = IPPROTO_TCP;
  query.request.idiag_states = ~0U;
  query.request.id.idiag_cookie[0] = query.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  place(local, mapped, query.request.id.idiag_sport, query.request.id.idiag_src);
  place(remote, mapped, query.request.id.idiag_dport, query.request.id.idiag_dst);

  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd == -1) fail(env, errno, "socket");
  alignas(nlmsghdr) char answer[1024];
  // The kernel answers within the sending: there is nothing to wait for.
  ssize_t length = send(fd, &query, sizeof query, MSG_NOSIGNAL);
  if (length != -1) length = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
  const int error = length == -1 ? errno : 0;
  close(fd);
  if (error != 0) fail(env, error, "sock_diag");

  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (!NLMSG_OK(header, static_cast<size_t>(length))) fail(env, EPROTO, "sock_diag");
  if (header->nlmsg_type == NLMSG_ERROR) {
    const int reason = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
    if (reason != ENOENT) fail(env, reason, "sock_diag");
    return {};
  }
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) fail(env, EPROTO, "sock_diag");
  const auto* found = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  return {true, found->idiag_state, found->idiag_inode};
}

// A UNIX socket knows by itself: POLLHUP means that both directions are shut down.
const char* unix_end(Napi::Env env, int fd) {
  pollfd look{fd, 0, 0};
  if (poll(&look, 1, 0) == -1) fail(env, errno, "poll");
  return look.revents & POLLHUP ? "left" : "held";
}

// A socket that no process holds has no inode any more. One that the kernel does not know is elsewhere, or hidden by an
// address translation. ENOENT is also its word where it cannot answer at all: then it does not know our own end either.
const char* tcp_end(Napi::Env env, const End& ours, const End& theirs) {
  const Found other = look_up(env, theirs, ours);
  if (!other.found) {
    if (!look_up(env, ours, theirs).found) fail(env, EOPNOTSUPP, "sock_diag");
    return "unknown";
  }
  if (other.inode != 0) return "held";
  for (const uint8_t state : kSentFin)
    if (other.state == state) return "left";
  return "unknown";
}

Napi::Value other_end(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = integer(info[0]);
  End ours, theirs;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&ours.address), &ours.size) == -1) fail(env, errno, "getsockname");
  const char* result = "unknown";
  if (ours.address.ss_family == AF_UNIX) {
    result = unix_end(env, fd);
  } else if (getpeername(fd, reinterpret_cast<sockaddr*>(&theirs.address), &theirs.size) == -1) {
    // A reset has come: there is no connection any more.
    if (errno != ENOTCONN) fail(env, errno, "getpeername");
    result = "left";
  } else if (ours.address.ss_family == AF_INET || ours.address.ss_family == AF_INET6) {
    result = tcp_end(env, ours, theirs);
  }
  return Napi::String::New(env, result);
}

}  // namespace

void install_other_end(Napi::Env env, Napi::Object exports) { put(env, exports, "otherEnd", other_end); }

}  // namespace monoceros
