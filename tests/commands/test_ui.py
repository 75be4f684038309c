"""`run.py ui`: what it refuses before the page starts, and the address that it names."""

import os
import socket
from argparse import ArgumentParser
from pathlib import Path

import pytest

from commands.ui import add_options, ui
from state.folder import State
from terminal.errors import CommandError
from tests.system.workspace import free_port


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that took the place of this process."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, command: commands.append(command))
    monkeypatch.setattr(os, "chdir", lambda _: None)
    for name in ("SERVICE_URL", "AUTH_URL", "MONITOR_URL"):
        monkeypatch.setenv(name, "")
    return commands


def run(*arguments: str) -> None:
    parser = ArgumentParser()
    add_options(parser)
    ui(State(Path("/nowhere"), moved=True), parser.parse_args([*arguments, "--port", str(free_port())]))


@pytest.mark.parametrize("given", ["localhost:3000", "http://", "http://127.0.0.1:three", "ftp://127.0.0.1"])
def test_what_is_no_address_of_a_service_is_named_before_the_page_starts(
    given: str, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=f"{given} is no address of a service.* --monitor or MONITOR_URL"):
        run("--monitor", given)
    monkeypatch.setenv("MONITOR_URL", "")
    monkeypatch.setenv("AUTH_URL", given)
    with pytest.raises(CommandError, match="--auth or AUTH_URL"):
        run()
    assert not started


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_the_address_of_the_page_can_be_opened(started: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    run("--host", "::1")
    assert "The page is on http://[::1]:" in capsys.readouterr().out
    assert started
