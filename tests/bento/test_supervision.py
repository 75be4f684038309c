"""What a worker tells `run.py serve`, and when it ends because of it."""

import asyncio
import os
import signal
import socket

import pytest

from bento import supervision
from web import connections


@pytest.mark.parametrize("gently", [True, False], ids=["it is asked to leave", "its supervisor has gone"])
def test_a_worker_says_that_it_is_ready_and_ends_when_it_is_to(monkeypatch: pytest.MonkeyPatch, gently: bool) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setenv(supervision.VARIABLE, str(os.dup(theirs.fileno())))
    monkeypatch.setattr(connections, "_leaving", False)
    monkeypatch.setattr(supervision, "BEAT", 0.01)
    theirs.close()
    ours.setblocking(False)

    async def work() -> None:
        asked = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
        supervision.report_ready("shop:2")
        heard = b""
        while not heard.endswith(b".\n.\n"):
            heard += await asyncio.get_running_loop().sock_recv(ours, 100)
        assert heard.startswith(b"ready shop:2\n.\n")
        if gently:
            ours.send(supervision.LEAVE)
        else:
            ours.close()
        await asked.wait()

    asyncio.run(work())
    assert connections._leaving is gently
    ours.close()


def test_without_a_supervisor_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(supervision.VARIABLE, raising=False)
    supervision.report_ready("shop:2")
