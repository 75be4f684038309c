"""Copies of listings that users have erased: where trainings have put them, and removing them there.

Rows that come from feedback carry the id of their prediction. A table of a training that has an erased one is deleted
from the artifact store. From the reference window in the tracker, which monitoring needs, only the rows are removed.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from commands.retention import Removal

if TYPE_CHECKING:
    from zenml.models import ArtifactVersionResponse

_FEEDBACK = "feedback"  # the table with all feedback that a training read
_DERIVED = ("listings", "reference_window")


def erase_copies(erased: Collection[str], *, dry_run: bool = False) -> list[Removal]:
    """Remove the copies of erased listings, given by the ids of their predictions. Raises what ZenML and MLflow do."""
    from stacks import run_history
    from tracking.erasure import erase_from_reference

    tables, rows = 0, 0
    seen: set[object] = set()
    for run in run_history.stored_runs("training"):
        artifacts = run_history.artifacts_of(run, (_FEEDBACK, *_DERIVED))
        feedback = [artifact for artifact in artifacts if artifact.name == _FEEDBACK]
        if not any(_holds(artifact, erased) for artifact in feedback):
            continue
        if tracked := run_history.tracker_run_of(run):
            rows += erase_from_reference(tracked, erased, dry_run=dry_run)
        derived = [artifact for artifact in artifacts if artifact.name in _DERIVED and _holds(artifact, erased)]
        for artifact in (*derived, *feedback):  # the feedback last: an interrupted erasure is found by it
            if artifact.id not in seen:
                seen.add(artifact.id)
                tables += 1
                if not dry_run:
                    run_history.delete_data(artifact)
    return [
        Removal("tables with erased listings", tables, None, None, ""),
        Removal("erased listings in reference windows", rows, None, None, ""),
    ]


def _holds(artifact: "ArtifactVersionResponse", erased: Collection[str]) -> bool:
    """Return whether a table that still has its data has a row of an erased prediction."""
    from zenml.io import fileio

    from tracking.erasure import is_erased

    return fileio.exists(artifact.uri) and bool(is_erased(artifact.load(), erased).any())
