// Runs a program in a world that is unkind:
//   launch deny CALL ERRNO PROGRAM ...   that system call fails with that errno, as on an old kernel (seccomp(2))
//   launch ignore PROGRAM ...            every signal from 1 to 64 is ignored and blocked
//   launch fds                           runs nothing, but prints which descriptors it was given, one a line
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static long number_of(const char *call) {
  if (!strcmp(call, "close_range")) return 436;
  if (!strcmp(call, "pidfd_open")) return 434;
  if (!strcmp(call, "pidfd_send_signal")) return 424;
  exit(98);
}

static int errno_of(const char *name) {
  return !strcmp(name, "ENOSYS") ? ENOSYS : !strcmp(name, "EINVAL") ? EINVAL : !strcmp(name, "EPERM") ? EPERM : (exit(98), 0);
}

static void deny(long call, int error) {
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) exit(97);
  // The proof that what follows tests what it says.
  if (syscall(call, -1, -1, -1) != -1 || errno != error) exit(96);
}

static void ignore_all(void) {
  unsigned long action[8] = {(unsigned long)SIG_IGN};
  unsigned long all = ~0ul;
  for (int number = 1; number <= 64; number++) syscall(SYS_rt_sigaction, number, action, NULL, 8);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
}

static int print_fds(void) {
  for (int fd = 0; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) != -1) printf("%d\n", fd);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "fds")) return print_fds();
  if (argc > 4 && !strcmp(argv[1], "deny")) {
    deny(number_of(argv[2]), errno_of(argv[3]));
    argv += 4;
  } else if (argc > 2 && !strcmp(argv[1], "ignore")) {
    ignore_all();
    argv += 2;
  } else {
    return 98;
  }
  execvp(argv[0], argv);
  return 95;
}
