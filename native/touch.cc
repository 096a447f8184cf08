// A process that waits to do what another one of the same origin has done already: it maps the pages beforehand that the
// other one has come to need. Both have them at the same addresses, having been forked from one process.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "kernel.h"

#ifndef MADV_POPULATE_READ  // Linux 5.14; older kernels answer EINVAL, and nothing is gained
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace monoceros {
namespace {

constexpr uintptr_t kPage = 4096;
// One entry of /proc/PID/pagemap (pagemap.rst of the kernel's admin guide).
constexpr uint64_t kPresent = 1ULL << 63, kOfFile = 1ULL << 61, kOwn = 1ULL << 56;
// So many are copied at most: one that has run for long has written to much that a new one will not need.
constexpr size_t kMostCopies = 2048;

enum class Wish { kNothing, kRead, kWrite };

// What it has alone it has written to; pages of files it has looked at.
Wish wish(uint64_t entry, bool writable) {
  if (!(entry & kPresent)) return Wish::kNothing;
  if (entry & kOfFile) return Wish::kRead;
  return writable && (entry & kOwn) ? Wish::kWrite : Wish::kNothing;
}

// Page tables are filled and pages copied as if each had been touched; their contents stay. `left`: how many copies more.
void touch(uintptr_t from, uintptr_t to, Wish how, size_t& left) {
  if (how == Wish::kNothing || from == to) return;
  if (how == Wish::kWrite) {
    to = std::min(to, from + left * kPage);
    left -= (to - from) / kPage;
  }
  madvise(reinterpret_cast<void*>(from), to - from, how == Wish::kWrite ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
}

// The pages of one mapping, in runs of those that want the same.
void touch_mapping(int pagemap, uintptr_t from, uintptr_t to, bool writable, size_t& left) {
  uint64_t entries[512];
  uintptr_t begun = from;
  Wish running = Wish::kNothing;
  for (uintptr_t at = from; at < to;) {
    const size_t wanted = std::min((to - at) / kPage, sizeof entries / sizeof *entries);
    const ssize_t size = pread(pagemap, entries, wanted * sizeof *entries, static_cast<off_t>(at / kPage * sizeof *entries));
    if (size <= 0) break;
    for (size_t i = 0; i < static_cast<size_t>(size) / sizeof *entries; i++, at += kPage) {
      const Wish next = wish(entries[i], writable);
      if (next == running) continue;
      touch(begun, at, running, left);
      begun = at;
      running = next;
    }
  }
  touch(begun, to, running, left);
}

// The number of pages that were copied; 0 as well where the other one cannot be looked at.
Napi::Value touch_as(const Napi::CallbackInfo& info) {
  const std::string other = "/proc/" + std::to_string(integer(info[0])) + "/pagemap";
  const int pagemap = open(other.c_str(), O_RDONLY | O_CLOEXEC);
  FILE* maps = pagemap == -1 ? nullptr : fopen("/proc/self/maps", "re");
  size_t left = kMostCopies;
  char* line = nullptr;
  size_t room = 0;
  while (maps && left > 0 && getline(&line, &room, maps) != -1) {
    uintptr_t from, to;
    char rights[5];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, rights) != 3) continue;
    if (rights[0] == 'r' && rights[3] == 'p') touch_mapping(pagemap, from, to, rights[1] == 'w', left);
  }
  free(line);
  if (maps) fclose(maps);
  if (pagemap != -1) close(pagemap);
  return Napi::Number::New(info.Env(), static_cast<double>(kMostCopies - left));
}

}  // namespace

void install_touch(Napi::Env env, Napi::Object exports) { put(env, exports, "touchAs", touch_as); }

}  // namespace monoceros
