// The measure for reap.js: what a supervisor in C does. SIGCHLD's handler writes into a self-pipe, epoll wakes, the child
// is waited for by its pid. Prints the time from each child's exit to the reap in microseconds, one a line.
//
//   reap CHILDREN PROGRAM
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2];

static void on_child(int number) {
  const int before = errno;
  const unsigned char byte = (unsigned char)number;
  if (write(ends[1], &byte, 1) != 1) abort();
  errno = before;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static pid_t start(const char *program, int memory) {
  char *const argv[] = {(char *)program, NULL};
  const pid_t pid = vfork();
  if (pid == 0) {
    dup2(memory, 3);
    execve(program, argv, (char *const[]){NULL});
    _exit(127);
  }
  if (pid == -1) fail("vfork");
  return pid;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const int memory = memfd_create("said", 0);
  if (memory == -1 || ftruncate(memory, 4096) == -1) fail("memfd_create");
  volatile int64_t *said = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) fail("pipe2");
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);

  for (int left = atoi(argv[1]); left > 0; left--) {
    const pid_t child = start(argv[2], memory);
    int status = -1;
    struct rusage usage;
    do {
      if (epoll_wait(epoll, &event, 1, -1) == -1 && errno != EINTR) fail("epoll_wait");
      char bytes[64];
      while (read(ends[0], bytes, sizeof bytes) > 0) {
      }
    } while (wait4(child, &status, WNOHANG, &usage) != child);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (status != 0) return 1;
    printf("%.1f\n", (double)(now.tv_sec * 1000000000ll + now.tv_nsec - *said) / 1e3);
  }
  return 0;
}
