"""The sockets on which a service listens. They belong to `run.py serve` and outlive the workers that take from them."""

import os
import signal
import socket
from pathlib import Path

import psutil

from bento.supervision import VARIABLE
from commands.listening import listen
from state.processes import Ending, end_all
from terminal.console import console
from terminal.errors import CommandError

_BACKLOG = 2_048
_ENDING = Ending(signal.SIGTERM, patience=35)  # seconds: somewhat longer than workers wait for requests in flight
_FIRST_INHERITED = 3  # file descriptors of socket activation begin here, see sd_listen_fds(3)


def open_sockets(state: Path, host: str, port: int, workers: int) -> list[socket.socket]:
    """Return one listening socket a worker, all on one address.

    The kernel spreads new connections over the sockets, so that no worker gets most of them. Raises `CommandError`
    when the port is in use or cannot be used.
    """
    _wait_for_orphans(state, port)
    listen(host, port).close()  # the next ones may share the port with each other, and would with a stranger too
    return [_shared(host, port) for _ in range(workers)]


def inherited_sockets() -> list[socket.socket]:
    """Return the sockets of a socket activation by systemd; none where there was none."""
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()):
        return []
    number = int(os.environ.pop("LISTEN_FDS", "0"))
    sockets = [socket.socket(fileno=_FIRST_INHERITED + index) for index in range(number)]
    for each in sockets:
        os.set_inheritable(each.fileno(), False)
        each.setblocking(False)
    return sockets


def renewed(listener: socket.socket) -> socket.socket:
    """Return the socket for a worker that takes the place of one that has ended. The old one is closed.

    The kernel goes on giving a worker's socket its share of the new connections when the worker has ended. They would
    wait until the next worker is ready. The new socket does not listen before its worker does, so until then the
    sockets of the other workers get all connections.
    """
    fresh = socket.socket(listener.family, socket.SOCK_STREAM)
    try:
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        fresh.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if listener.family == socket.AF_INET6:
            fresh.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        fresh.bind(listener.getsockname())
    except OSError:  # such as a port that this user may not open any more
        fresh.close()
        return listener
    listener.close()
    return fresh


def _wait_for_orphans(state: Path, port: int) -> None:
    """Wait for the workers that a killed `serve` has left on a port: they answer what they have, and end.

    The caller holds the lock of this state and port. So a worker that has both belongs to no `serve` that lives.
    """
    orphans = [process for process in psutil.process_iter() if _is_orphan(process, state, port)]
    if orphans:
        console().print("The workers of a 'run.py serve' that was killed end first.")
        end_all(orphans, _ENDING)


def _is_orphan(process: psutil.Process, state: Path, port: int) -> bool:
    try:
        environment = process.environ()
        if VARIABLE not in environment or environment.get("STATE_DIR") != str(state):
            return False
        connections = process.net_connections("tcp")
    except (psutil.Error, OSError):  # another user's, or it has ended
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)


def _shared(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=True)
    except OSError as error:
        raise CommandError(f"{host}:{port} cannot be listened on: {error.strerror or error}") from error
