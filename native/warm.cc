// What makes a mold cheap to fork: memory given back, and a client for the request that it rehearses.
#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "kernel.h"

namespace monoceros {
namespace {

// Blocks until the other end, which listens in this process, has it in its queue: at once, on the loopback interface.
Napi::Value connect_locally(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd == -1) fail(env, errno, "socket");
  struct sockaddr_in address {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(integer(info[0])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == -1) {
    const int error = errno;
    close(fd);
    fail(env, error, "connect");
  }
  return Napi::Number::New(env, fd);
}

// glibc only: elsewhere there is nothing to give back.
void trim_memory(const Napi::CallbackInfo&) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

void install_warm(Napi::Env env, Napi::Object exports) {
  put(env, exports, "connectLocally", connect_locally);
  put(env, exports, "trimMemory", trim_memory);
}

}  // namespace monoceros
