"""A bare ASGI server: uvicorn, in the processes and on the sockets of a service, with a constant answer to everything.

    python -m benchmarks.bare_server --port PORT [--workers N]

It reads the body of a request and does nothing else. This is the limit that the server, Python and wrk have together.
"""

import argparse
import json
import socket
import sys
from multiprocessing import get_context

from starlette.types import Receive, Scope, Send

_ANSWER = {
    "prediction_id": "00000000-0000-4000-8000-000000000000", "predicted_class": "Pool and spa", "predicted_code": 2583,
    "confidence": 0.91, "abstained": False, "top_k": [{"code": 2583, "label": "Pool and spa", "confidence": 0.3}] * 3,
    "language": "fr", "model_version": "1",
}  # fmt: skip
_PREDICTION, _TOKEN = json.dumps(_ANSWER).encode(), json.dumps({"access_token": "none"}).encode()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; a login gets a token that nobody checks."""
    while (await receive()).get("more_body"):
        pass
    body = _TOKEN if scope["path"] == "/login" else _PREDICTION
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve(listener: socket.socket) -> None:
    """Serve on a socket."""
    import uvicorn

    config = uvicorn.Config(answer, lifespan="off", access_log=False, log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


def main(arguments: list[str]) -> int:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_server", description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    sockets = [
        socket.create_server(("127.0.0.1", options.port), backlog=2_048, reuse_port=True)
        for _ in range(options.workers)
    ]
    workers = [get_context("spawn").Process(target=serve, args=(listener,), daemon=True) for listener in sockets]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
