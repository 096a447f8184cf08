# A service manager in few lines: `notify PATH PROGRAM...` binds a datagram socket (`@` is abstract), runs the program with
# NOTIFY_SOCKET and prints what it is told until the program ends; `listen PROGRAM...` becomes the program with two listening sockets passed from
# descriptor 3 on, `lie PROGRAM...` with one and a file.
import os
import select
import socket
import subprocess
import sys

if sys.argv[1] == 'notify':
    path = sys.argv[2]
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind('\0' + path[1:] if path[0] == '@' else path)
    program = subprocess.Popen(sys.argv[3:], env={**os.environ, 'NOTIFY_SOCKET': path})
    ended = False
    while not ended:
        ended = program.poll() is not None
        while select.select([manager], [], [], 0.05)[0]:
            # One write: the program prints to the same pipe.
            os.write(1, f'told {manager.recv(4096).decode()!r}\n'.encode())
    sys.exit(program.returncode)
else:
    first = socket.create_server(('127.0.0.1', 0))
    second = open('/dev/null') if sys.argv[1] == 'lie' else socket.create_server(('127.0.0.1', 0))
    high = [os.dup(first.fileno()), os.dup(second.fileno())]
    first.close()
    second.close()
    lifted = [os.dup2(fd, 20 + index, inheritable=False) for index, fd in enumerate(high)]
    for index, fd in enumerate(lifted):
        os.dup2(fd, 3 + index, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='web:admin')
    os.execvp(sys.argv[2], sys.argv[2:])
