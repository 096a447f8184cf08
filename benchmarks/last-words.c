// A child that waits a moment, so that its parent sleeps, writes the time (CLOCK_MONOTONIC, nanoseconds) into the shared
// memory at descriptor 3, and exits at once. With an argument it waits for a signal instead.
// cc -O2 -static -o last-words last-words.c
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  (void)argv;
  while (argc > 1) pause();
  volatile int64_t *said = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
  const struct timespec moment = {0, 1000000};
  nanosleep(&moment, 0);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  *said = now.tv_sec * 1000000000ll + now.tv_nsec;
  _exit(0);
}
