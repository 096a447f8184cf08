# The socket that NOTIFY_SOCKET names: prints each message that comes as one line, its assignments with spaces between.
import os
import socket
import sys

manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
print('bound', flush=True)
while True:
    text = manager.recv(65536).decode()
    print('told', ' '.join(text.splitlines()), flush=True)
