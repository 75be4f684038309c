"""A worker's line to the process that supervises it: `run.py serve`. Under `bentoml serve` there is none.

The line is a socket, whose number is in `SUPERVISOR_FD`. The worker writes `ready MODEL:VERSION` when it takes
requests, and a dot every few seconds. What it reads is the wish that it leaves. The end of the line means that the
supervisor has gone, and a service that nobody steers ends.
"""

import asyncio
import os
import signal
import socket

VARIABLE = "SUPERVISOR_FD"
READY, ALIVE, LEAVE = b"ready ", b".\n", b"leave\n"
BEAT = 5  # seconds between two signs of life


def report_ready(model: str) -> None:
    """Tell the supervisor, if there is one, that this worker takes requests; `model` is NAME:VERSION. Then listen."""
    number = os.environ.get(VARIABLE)
    if number is None:
        return
    loop = asyncio.get_running_loop()
    line = socket.socket(fileno=int(number))
    line.setblocking(False)
    loop.add_reader(line, _hear, loop, line)
    _say(loop, line, READY + model.encode() + b"\n")


def _say(loop: asyncio.AbstractEventLoop, line: socket.socket, words: bytes) -> None:
    try:
        line.send(words)
    except BlockingIOError:
        pass  # a supervisor that does not listen now
    except OSError:
        return  # it has gone: the reader hears that
    loop.call_later(BEAT, _say, loop, line, ALIVE)


def _hear(loop: asyncio.AbstractEventLoop, line: socket.socket) -> None:
    try:
        words = line.recv(64)
    except BlockingIOError:
        return
    except OSError:
        words = b""
    loop.remove_reader(line)
    if words:
        from web.connections import leave_gently  # it loads uvicorn, which only a worker needs

        leave_gently()
    os.kill(os.getpid(), signal.SIGTERM)
