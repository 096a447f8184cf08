// Kills a process and asks until another one answers, each time on a connection of its own. Prints the microseconds from
// SIGKILL to the first byte, and what came. In C: a client whose code is cold holds one of two cores for a millisecond that
// whoever is being born would need.
//
//   kill PID PORT
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, PATIENCE = 60000 };
// A connection may have come to who was killed: then another is tried beside it after so long, in milliseconds.
enum { ANEW = 20 };
// Where nobody listens, or the connection is broken, in microseconds.
enum { AGAIN = 300 };

static const char REQUEST[] = "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";
static struct pollfd asked[MOST];
static nfds_t count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void ask(int port) {
  if (count == MOST) exit(1);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == -1 || send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) == -1) {
    close(fd);
    usleep(AGAIN);
    return;
  }
  asked[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

// The connection that has an answer, or -1; those that are broken are forgotten.
static int answered(void) {
  for (nfds_t i = 0; i < count;) {
    char byte;
    if (asked[i].revents == 0) {
      i++;
      continue;
    }
    if (recv(asked[i].fd, &byte, 1, MSG_PEEK) == 1) return asked[i].fd;
    close(asked[i].fd);
    asked[i] = asked[--count];
    if (count == 0) usleep(AGAIN);
  }
  return -1;
}

static void print(int fd) {
  char text[4096];
  for (ssize_t size; (size = recv(fd, text, sizeof text, 0)) > 0;) fwrite(text, 1, (size_t)size, stdout);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const int port = atoi(argv[2]);
  const double begun = now();
  if (kill(atoi(argv[1]), SIGKILL) == -1) return 1;
  double last = begun;
  ask(port);
  while (now() - begun < PATIENCE * 1e3) {
    poll(asked, count, count == 0 ? 0 : ANEW);
    const int fd = answered();
    if (fd != -1) {
      printf("%.0f\n", now() - begun);
      print(fd);
      return 0;
    }
    if (count == 0 || now() - last >= ANEW * 1e3) {
      last = now();
      ask(port);
    }
  }
  return 1;
}
