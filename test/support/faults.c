// Loaded into a program by LD_PRELOAD: makes what a test asks for happen at the point that it names. The words in the file
// that FAULTS_AT names are taken at the next fork(2), once, or by the next child that asks for a parent-death signal; LACKS
// names a symbol that dlsym(3) shall not find. As long as the words are "no descriptors", none can be sent. Whoever calls fork may be a process in between, a vfork that shares this
// memory with its parent: the one that was asked.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char words[64];
static volatile int stop_at_next_wait;
static volatile int next_parent_is_another;

static int asked(const char *word) { return strstr(words, word) != NULL; }

static void look(void) {
  const char *path = getenv("FAULTS_AT");
  const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  words[0] = '\0';
  if (fd == -1) return;
  const ssize_t length = read(fd, words, sizeof words - 1);
  words[length > 0 ? length : 0] = '\0';
  close(fd);
}

static void take(void) {
  look();
  if (words[0] != '\0' && !asked("no descriptors")) unlink(getenv("FAULTS_AT"));
}

// unix(7): more descriptors are in flight than the user may have open.
ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
  static ssize_t (*real)(int, const struct msghdr *, int);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
  char before[sizeof words];
  memcpy(before, words, sizeof words);
  look();
  const int refuses = asked("no descriptors") && message->msg_controllen > 0;
  memcpy(words, before, sizeof words);
  if (!refuses) return real(socket, message, flags);
  errno = ETOOMANYREFS;
  return -1;
}

pid_t fork(void) {
  static pid_t (*real)(void);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fork");
  take();
  if (asked("enomem")) {
    errno = ENOMEM;
    return -1;
  }
  if (asked("between dies")) raise(SIGKILL);
  const pid_t child = real();
  if (child == 0 && asked("child dies")) raise(SIGKILL);
  if (child > 0 && asked("child dies")) {
    siginfo_t dead;
    waitid(P_PID, (id_t)child, &dead, WEXITED | WNOWAIT);
  }
  if (child > 0 && asked("between is killed")) raise(SIGKILL);
  if (child > 0 && asked("parent dies")) kill(getppid(), SIGKILL);
  if (child > 0 && asked("parent stops")) stop_at_next_wait = 1;
  return child;
}

// The parent waits for the process in between, and has heard of its end when it stops.
pid_t waitpid(pid_t pid, int *status, int options) {
  static pid_t (*real)(pid_t, int *, int);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "waitpid");
  const pid_t result = real(pid, status, options);
  if (stop_at_next_wait) {
    stop_at_next_wait = 0;
    raise(SIGSTOP);
  }
  return result;
}

// The last that a child of ours does before its exec, still in our memory: only system calls.
int prctl(int option, ...) {
  unsigned long given[4];
  va_list list;
  va_start(list, option);
  for (int i = 0; i < 4; i++) given[i] = va_arg(list, unsigned long);
  va_end(list);
  if (option == PR_SET_PDEATHSIG) {
    look();
    if (asked("gone before exec")) {
      take();
      const pid_t parent = (pid_t)syscall(SYS_getppid);
      kill(parent, SIGKILL);
      while (syscall(SYS_getppid) == parent) sched_yield();
    }
    if (asked("another before exec")) {
      take();
      next_parent_is_another = 1;
    }
  }
  return (int)syscall(SYS_prctl, option, given[0], given[1], given[2], given[3]);
}

pid_t getppid(void) {
  const pid_t parent = (pid_t)syscall(SYS_getppid);
  if (!next_parent_is_another) return parent;
  next_parent_is_another = 0;
  return parent + 1;
}

void *dlsym(void *handle, const char *name) {
  static void *(*real)(void *, const char *);
  if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  const char *lacking = getenv("LACKS");
  return lacking && strcmp(lacking, name) == 0 ? NULL : real(handle, name);
}
