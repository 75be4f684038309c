"""Stopping a service leaves nothing of it on the port."""

import subprocess
import sys

import psutil
import pytest

from commands import serve

DEAF_AND_LEAVING_A_CHILD = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
heard = 0
def on_term(*_):
    global heard
    heard += 1
    if heard > 1:
        sys.exit(0)
signal.signal(signal.SIGTERM, on_term)
print(child.pid, flush=True)
while True:
    time.sleep(0.1)
"""


def test_a_service_that_missed_the_first_signal_ends_with_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_REPEAT", 0.3)
    service = subprocess.Popen(
        [sys.executable, "-c", DEAF_AND_LEAVING_A_CHILD], stdout=subprocess.PIPE, start_new_session=True
    )
    assert service.stdout is not None
    worker = psutil.Process(int(service.stdout.readline()))
    serve._stop(service)
    assert service.returncode == 0, "killed although it would have ended in order"
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
