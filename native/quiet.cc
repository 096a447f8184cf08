// What a process shows that is quiet, and can therefore be forked.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstdlib>

#include "kernel.h"

namespace monoceros {
namespace {

std::string name_of_thread(const char* tid) {
  char text[64] = "";
  const int fd = open((std::string("/proc/self/task/") + tid + "/comm").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd == -1) return text;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  return std::string(text, size > 0 ? static_cast<size_t>(size) - 1 : 0);
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  DIR* directory = opendir("/proc/self/task");
  if (!directory) fail(env, errno, "opendir", "/proc/self/task");
  Napi::Array result = Napi::Array::New(env);
  while (const struct dirent* entry = readdir(directory)) {
    if (entry->d_name[0] == '.') continue;
    Napi::Object one = Napi::Object::New(env);
    one.Set("id", atoi(entry->d_name));
    one.Set("name", name_of_thread(entry->d_name));
    result.Set(result.Length(), one);
  }
  closedir(directory);
  return result;
}

// Requests in flight: file and dns work, writes, connects (uv.h).
Napi::Value loop_requests(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), loop_of(info.Env())->active_reqs.count);
}

}  // namespace

void install_quiet(Napi::Env env, Napi::Object exports) {
  put(env, exports, "loopRequests", loop_requests);
  put(env, exports, "threads", threads);
}

}  // namespace monoceros
