"""Ports of this machine: whether a service can listen on one, and how it is reached then."""

import socket

from terminal.errors import CommandError

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises `CommandError` when the port is in use or cannot be used."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(
            f"{host}:{port} cannot be listened on: {reason}; end what listens there, or name another port with --port"
        ) from error


def require_free(host: str, port: int) -> None:
    """Raise `CommandError` when a port is in use or cannot be used."""
    listen(host, port).close()


def reachable(host: str) -> str:
    """Return a host as it stands in an address by which this machine reaches what listens there."""
    host = _EVERY_ADDRESS.get(host, host)
    return f"[{host}]" if ":" in host else host
