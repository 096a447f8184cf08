// Loaded into a process, it takes the handlers of SIGUSR2 and SIGHUP away, as a careless addon would.
#include <signal.h>
#include <stddef.h>

static void deaf(int number) { (void)number; }

__attribute__((constructor)) static void take(void) {
  signal(SIGUSR2, SIG_DFL);
  signal(SIGHUP, deaf);
}
