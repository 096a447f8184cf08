// Loaded into a program by LD_PRELOAD: makes what a test asks for happen at the point that it names. The word in the file
// that FAULTS_AT names is taken at the next fork(2), once; LACKS names a symbol that dlsym(3) shall not find.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int is(const char *word, const char *taken) { return strcmp(word, taken) == 0; }

static void take(char *word, size_t size) {
  const char *path = getenv("FAULTS_AT");
  const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  word[0] = '\0';
  if (fd == -1) return;
  const ssize_t length = read(fd, word, size - 1);
  word[length > 0 ? length : 0] = '\0';
  close(fd);
  unlink(path);
}

pid_t fork(void) {
  static pid_t (*real)(void);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fork");
  char word[32];
  take(word, sizeof word);
  if (is("enomem", word)) {
    errno = ENOMEM;
    return -1;
  }
  if (is("forker dies", word)) raise(SIGKILL);
  const pid_t child = real();
  if (child == 0 && is("child dies", word)) raise(SIGKILL);
  if (child > 0 && is("child dies", word)) {
    siginfo_t dead;
    waitid(P_PID, (id_t)child, &dead, WEXITED | WNOWAIT);
  }
  // Whoever forks here may be a process in between: its parent is the one that was asked.
  if (child > 0 && is("parent dies", word)) kill(getppid(), SIGKILL);
  return child;
}

void *dlsym(void *handle, const char *name) {
  static void *(*real)(void *, const char *);
  if (!real) *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  const char *lacking = getenv("LACKS");
  return lacking && strcmp(lacking, name) == 0 ? NULL : real(handle, name);
}
