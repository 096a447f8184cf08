"""Runs a command on a pseudo-terminal of its own. Orders on stdin: `resize`, `close`; its output comes on stdout."""
import fcntl, os, pty, select, struct, sys, termios

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

def say(line):
    os.write(1, line.encode() + b"\n")

while True:
    ready, _, _ = select.select([0] + ([terminal] if terminal >= 0 else []), [], [])
    if terminal in ready:
        try:
            os.write(1, os.read(terminal, 65536).replace(b"\r\n", b"\n"))
        except OSError:
            os.close(terminal)
            terminal = -1
    if 0 in ready:
        order = os.read(0, 64).decode().strip()
        if order == "resize":
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
            say("terminal: resized")
        elif order == "close":
            os.close(terminal)
            terminal = -1
            _, status = os.waitpid(pid, 0)
            say(f"terminal: command ended {os.waitstatus_to_exitcode(status)}")
            break
        else:
            break
