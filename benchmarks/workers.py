"""Serves a BentoML service of this checkout as `run.py serve` serves a Bento: each worker has a socket of its own.

    python -m benchmarks.workers MODULE:SERVICE --port PORT [--workers N]

State, model and settings come from the environment, as for `bentoml serve`.
"""

import argparse
import os
import sys
from pathlib import Path
from threading import Event

from benchmarks.processes import ROOT
from bento.metrics_folder import metrics_folder
from commands.serve.release import Release
from commands.serve.sockets import open_sockets
from commands.serve.worker import Deployment, Worker
from state.processes import on_end
from terminal.errors import CommandError
from tracking.registry import RegisteredVersion

_TICK = 0.1  # seconds between two looks at the workers


def serve(service: str, port: int, workers: int, ended: Event) -> None:
    """Serve until `ended` is set. Raises `CommandError` when the service does not start, or a worker ends."""
    state = Path(os.environ["STATE_DIR"])
    release = Release(RegisteredVersion(number="0", run_id="", source="", tags={}), service, ROOT)
    environment = {**os.environ, "METRICS_DIR": str(metrics_folder(state)), "PYTHONPATH": str(ROOT)}
    deployment = Deployment.prepare(release, environment)
    sockets = open_sockets(state, "127.0.0.1", port, workers)
    started = [Worker(release, deployment, listener, number) for number, listener in enumerate(sockets)]
    try:
        while not ended.wait(_TICK):
            for worker in started:
                worker.listen()
                if worker.exit_code is not None:
                    raise CommandError(f"a worker of {service} has ended with exit code {worker.exit_code}")
    finally:
        for worker in started:
            worker.end()
        for worker in started:
            worker.close()


def main(arguments: list[str]) -> int:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__.split("\n")[0])
    parser.add_argument("service", metavar="MODULE:SERVICE")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args(arguments)
    ended = Event()
    on_end(ended.set)
    try:
        serve(options.service, options.port, options.workers, ended)
    except CommandError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
