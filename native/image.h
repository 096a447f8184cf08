// The beginning of an image that replaced another one of the same process (image.cc), as the self-pipe needs to know it.
#pragma once

#include <signal.h>

namespace monoceros {

// Takes the signals over with a self-pipe that the image before this one had, before Node begins; no libuv yet.
void resume_signals(int reading_end, int writing_end, const int* signals, int count) noexcept;

// While signals are guarded nobody but us changes their dispositions; what libuv wanted to install is kept instead.
bool signals_are_guarded() noexcept;
struct sigaction what_was_wanted(int signal) noexcept;
void end_guard() noexcept;

// sigaction(2) itself, past the guard.
int set_action(int signal, const struct sigaction* action, struct sigaction* before) noexcept;

}  // namespace monoceros
