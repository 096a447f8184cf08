// Loaded into a program by LD_PRELOAD: makes what a test asks for happen at the point that it names. The words in the file
// that FAULTS_AT names are taken at the next fork(2), once; LACKS names a symbol that dlsym(3) shall not find. Whoever
// calls fork may be a process in between, a vfork that shares this memory with its parent: the one that was asked.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char words[64];
static volatile int stop_at_next_wait;

static int asked(const char *word) { return strstr(words, word) != NULL; }

static void take(void) {
  const char *path = getenv("FAULTS_AT");
  const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  words[0] = '\0';
  if (fd == -1) return;
  const ssize_t length = read(fd, words, sizeof words - 1);
  words[length > 0 ? length : 0] = '\0';
  close(fd);
  unlink(path);
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

void *dlsym(void *handle, const char *name) {
  static void *(*real)(void *, const char *);
  if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  const char *lacking = getenv("LACKS");
  return lacking && strcmp(lacking, name) == 0 ? NULL : real(handle, name);
}
