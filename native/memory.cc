// Memory that several processes share: memfd_create(2).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "kernel.h"

namespace monoceros {
namespace {

constexpr unsigned kNeverExecutable = 8;  // MFD_NOEXEC_SEAL, Linux 6.3

// Sealed before anybody else has it: a process that made it smaller would kill the others by SIGBUS.
Napi::Value shared_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = text(info[0], "memfd_create");
  const double bytes = info[1].As<Napi::Number>().DoubleValue();
  if (!(bytes >= 1)) fail(env, EINVAL, "ftruncate", name);
  int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | kNeverExecutable);
  if (fd == -1 && errno == EINVAL) fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd == -1) fail(env, errno, "memfd_create", name);
  if (ftruncate(fd, static_cast<off_t>(bytes)) == -1 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1) {
    const int error = errno;
    close(fd);
    fail(env, error, "ftruncate", name);
  }
  return Napi::Number::New(env, fd);
}

Napi::Value map(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = integer(info[0]);
  const int seals = fcntl(fd, F_GET_SEALS);
  if (seals == -1) fail(env, errno, "fcntl");
  if (!(seals & F_SEAL_SHRINK)) fail(env, EINVAL, "mmap");
  struct statx file {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &file) == -1) fail(env, errno, "statx");
  const size_t size = static_cast<size_t>(file.stx_size);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) fail(env, errno, "mmap");
  return Napi::ArrayBuffer::New(env, memory, size, [size](Napi::Env, void* mapped) { munmap(mapped, size); });
}

}  // namespace

void install_memory(Napi::Env env, Napi::Object exports) {
  put(env, exports, "sharedMemory", shared_memory);
  put(env, exports, "map", map);
}

}  // namespace monoceros
