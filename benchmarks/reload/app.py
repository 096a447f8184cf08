"""The same app as app.js, for gunicorn."""
import os


def app(environ, start_response):
    received = 0
    stream = environ["wsgi.input"]
    while chunk := stream.read(65536):
        received += len(chunk)
    body = b'{"pid":%d,"received":%d}' % (os.getpid(), received)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
