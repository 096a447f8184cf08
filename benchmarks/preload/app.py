"""The same app as app.js, for gunicorn."""
import os
import time

until = time.monotonic() + float(os.environ.get("APP_LOAD", "0")) / 1000
while time.monotonic() < until:
    pass

ENTRY = 300
heap = [
    {"id": n, "name": "entry %d" % n, "next": [n]}
    for n in range(int(os.environ.get("APP_HEAP", "0")) * 2**20 // ENTRY)
]


def app(environ, start_response):
    body = b'{"pid":%d}' % os.getpid()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
