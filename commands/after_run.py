"""What follows a run of a pipeline: outdated things go by the rules, and what users have erased from its copies too."""

import hashlib
from pathlib import Path

from state.files import write_atomically
from state.folder import State
from terminal.console import console
from terminal.errors import in_a_line

_ERASED = "erased.sha256"  # a digest of the ids of erased predictions whose copies were removed last


def apply_after_run(state: State, rules_file: Path, pipeline: str) -> None:
    """Apply the rules at the end of a run. Whatever prevents it is a warning: the run itself was successful."""
    from commands.erasure import erase_copies
    from commands.retention import remove_rows, remove_stored
    from ledger.database import database_url
    from ledger.predictions import read_erased
    from pipelines.config import RetentionConfig
    from stacks.active import connect_tracker

    try:
        rules = RetentionConfig.read(rules_file)
        connect_tracker()  # a run in this process has disconnected it
        erased = read_erased(database_url())
        removals = [*remove_rows(rules), *remove_stored(state, rules)]
        known = state.folder / _ERASED
        digest = hashlib.sha256("\n".join(sorted(erased)).encode()).hexdigest()
        # A training may have copied what was erased while it ran; only trainings copy anything.
        if erased and (pipeline == "training" or not known.is_file() or known.read_text(encoding="utf-8") != digest):
            removals += erase_copies(erased)
            write_atomically(known, digest)
    except Exception as error:  # of ZenML, MLflow, the ledger or the disk: none of them makes the run a failure
        console().print(
            f"warning: what is outdated could not be removed ({in_a_line(error)}); 'python run.py purge' tries again",
            style="yellow", soft_wrap=True,
        )  # fmt: skip
        return
    gone = [f"{removal.gone:,} {removal.kind}" for removal in removals if removal.gone]
    if gone:
        console().print(f"Outdated and removed: {', '.join(gone)}.", style="dim", soft_wrap=True)
