"""A command of run.py as a child of the monitor service: started with a report file, ended, its error read."""

import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from state.processes import Child, Ending

ENDING = Ending(signal.SIGINT, patience=7)  # run.py ends within 5 seconds after an interruption
_RAISED = re.compile(r"(?:\w+\.)*(\w*(?:Error|Exception))(?::|$)")
_TAIL = 16_384  # bytes at the end of a log in which its last error is searched


@dataclass(frozen=True)
class RunPyCommand:
    """A command and the folder that it runs in."""

    words: Sequence[str]  # more words and `--json FILE` are added
    folder: Path

    def start(self, report: Path, log: Path, *more: str) -> Child:
        """Start the command with more words; it writes its report and its output to these files. Raises `OSError`."""
        return Child.start([*self.words, *more, "--json", str(report)], ENDING, folder=self.folder, log=log)


def last_error(log: Path, exit_code: int) -> str:
    """Return the error message with which a command ended, as far as its log has one. Raises `OSError`."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    if messages := [found[2].strip() for line in lines if (found := line.partition("error: "))[1]]:
        return messages[-1]
    # Of an exception that no code of ours has explained only the class is shown: its message may hold private data.
    raised = [match[1] for line in lines if (match := _RAISED.match(line))]
    return f"it ended with exit code {exit_code}" + (f" ({raised[-1]})" if raised else "")
