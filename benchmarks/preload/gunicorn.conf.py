"""Says when a worker serves, as app.js does."""


def post_worker_init(worker):
    print("serving %d" % worker.pid, flush=True)
