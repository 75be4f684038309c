"""The address of a client: of the connection, or what a trusted proxy says about it."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Network = IPv4Network | IPv6Network

_CLIENT_BITS = 64  # of an IPv6 address: every customer of a provider has at least so many addresses of its own
_LONGEST = 64  # characters of an address with its port


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks in a list such as `10.0.0.5, 10.1.0.0/16, ::1`. Raises `ValueError` for anything else."""
    return tuple(ip_network(entry.strip()) for entry in text.split(",") if entry.strip())


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """Return the address of the client that sent a request; of IPv6 the /64 network that the client has.

    If the connection comes from a trusted proxy, this is the right-most address in `X-Forwarded-For` that is not
    trusted: each proxy adds an address on the right, and what is further left is written by the client. Without a
    trusted proxy the header is ignored.
    """
    peer: str = scope["client"][0] if scope.get("client") else ""
    address = _read(peer)
    if address is None or not _is_in(address, trusted):
        return peer if address is None else _of_client(address)
    for entry in reversed(list(_forwarded(scope))):
        before = _read(entry)
        if before is None:  # a trusted proxy has written it, and it is no address: that proxy is all that is known
            break
        address = before
        if not _is_in(address, trusted):
            break
    return _of_client(address)


def is_in(scope: Scope, networks: Sequence[Network]) -> bool:
    """Return whether a connection comes from one of these networks."""
    address = _read(scope["client"][0]) if scope.get("client") else None
    return address is not None and _is_in(address, networks)


def _forwarded(scope: Scope) -> Iterable[str]:
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            yield from value.decode("latin-1").split(",")


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; None without one."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    with suppress(ValueError):
        address = ip_address(text)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return mapped or address
    return None


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)  # of another version: it is not


def _of_client(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address), _CLIENT_BITS), strict=False))
