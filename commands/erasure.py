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
COPIES = (_FEEDBACK, "listings", "listings_to_train", "reference_window")


def erase_copies(erased: Collection[str], *, dry_run: bool = False) -> list[Removal]:
    """Remove the copies of erased listings, given by the ids of their predictions. Raises what ZenML and MLflow do."""
    from stacks import run_history
    from tracking.erasure import erase_from_reference

    tables, rows = 0, 0
    seen: set[object] = set()
    for run in run_history.stored_runs("training"):
        artifacts = run_history.artifacts_of(run, COPIES)
        # The feedback says whether a run has anything of these, unless an earlier erasure has deleted it.
        if not any(_is_gone(artifact) or _holds(artifact, erased) for artifact in artifacts if _is_feedback(artifact)):
            continue
        if tracked := run_history.tracker_run_of(run):
            rows += erase_from_reference(tracked, erased, dry_run=dry_run)
        for artifact in sorted(artifacts, key=_is_feedback):  # the feedback last: an interrupted erasure is found by it
            if artifact.id not in seen and not _is_gone(artifact) and _holds(artifact, erased):
                seen.add(artifact.id)
                tables += 1
                if not dry_run:
                    run_history.delete_data(artifact)
    return [
        Removal("tables with erased listings", tables, None, None, ""),
        Removal("erased listings in reference windows", rows, None, None, ""),
    ]


def _is_feedback(artifact: "ArtifactVersionResponse") -> bool:
    return artifact.name == _FEEDBACK


def _is_gone(artifact: "ArtifactVersionResponse") -> bool:
    """Return whether the data of a table has been deleted."""
    from zenml.io import fileio

    return not fileio.exists(artifact.uri)


def _holds(artifact: "ArtifactVersionResponse", erased: Collection[str]) -> bool:
    """Return whether a table has a row of an erased prediction."""
    from tracking.erasure import is_erased

    return bool(is_erased(artifact.load(), erased).any())
