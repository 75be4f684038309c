"""Ctrl-C ends a command."""

import signal
import subprocess
import sys

from tests.conftest import ROOT
from tests.system.workspace import LIMIT


def test_ctrl_c_ends_a_run_even_where_a_library_drops_it() -> None:
    deaf = (
        "import time; from terminal import interruption; interruption._PATIENCE = 0.5\n"
        "with interruption.interruptible():\n"
        "    said = ['ready']\n"
        "    while True:\n"
        "        try:\n"
        "            while said: print(said.pop(), flush=True)\n"
        "            time.sleep(60)\n"
        "        except KeyboardInterrupt: pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", deaf], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=LIMIT)
    assert (process.returncode, complaint) == (130, "error: interrupted; the version in production has not changed\n")
