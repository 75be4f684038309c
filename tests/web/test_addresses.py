"""The address of a client: nobody chooses it by a header, unless a trusted proxy says it."""

import pytest

from web.addresses import client_address, read_networks

PROXIES = read_networks("10.0.0.5, 10.1.0.0/16 ,fd00::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # not from a proxy: the header is the client's
        ("127.0.0.1", ["198.51.100.1"], "127.0.0.1"),
        ("10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # the client wrote the first one
        ("10.0.0.5", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["198.51.100.1, 10.1.2.3"], "198.51.100.1"),  # two proxies
        ("10.0.0.5", ["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
        ("10.0.0.5", ["198.51.100.1, unknown"], "10.0.0.5"),
        ("10.0.0.5", ["198.51.100.1, unknown, 10.1.2.3"], "10.1.2.3"),
        ("10.0.0.5", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.5", ["[2001:db8:1:2::3]:4711"], "2001:db8:1:2::/64"),
        ("10.0.0.5", [""], "10.0.0.5"),
        ("10.0.0.5", ["1" * 100_000], "10.0.0.5"),
        ("::ffff:10.0.0.5", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("fd00::1", ["2001:db8:1:2:9::"], "2001:db8:1:2::/64"),
        ("testclient", ["198.51.100.1"], "testclient"),
    ],
)
def test_only_trusted_proxies_say_where_a_request_comes_from(peer: str, forwarded: list[str], address: str) -> None:
    headers = [(b"accept", b"*/*"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    assert client_address({"client": (peer, 4711), "headers": headers}, PROXIES) == address


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    scope = {"client": ("127.0.0.1", 1), "headers": [(b"x-forwarded-for", b"198.51.100.1")]}
    assert client_address(scope, ()) == "127.0.0.1"
    assert client_address({"headers": []}, ()) == ""


@pytest.mark.parametrize("wrong", ["proxy", "10.0.0.0/33", "*", "10.0.0.5/8"])
def test_a_wrong_network_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|host bits"):
        read_networks(f"10.0.0.5,{wrong}")
