// Wills: what is said over a channel when a process is dying.
#pragma once

#include <sys/types.h>

namespace monoceros {

// From any thread: says what this process has left, if that has not been revoked.
void carry_out_will(pid_t of);

// It cannot die any more.
void forget_wills_of(pid_t of);

// This descriptor is about to be closed: its number may be another's then.
void forget_wills_with(int fd);

}  // namespace monoceros
