"""Where a version comes from: its training, the decision about it, and its time in production."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow.entities import LifecycleStage, Run
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict

from tracking.promotion_log import Entry, read_entries
from tracking.registry import ABSENT, RegisteredVersion, find_number
from tracking.revision import split_revision
from tracking.training_record import RecordError, TrainingRecord, read_record

_EVALUATION, _DECISION = "evaluation/evaluation.html", "decision.json"
_LOGIN = re.compile(r"//[^/@]*@")  # in an address


class Training(BaseModel):
    """The tracker's run that trained a version. `clean`: the working tree was as committed. None: not recorded."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    name: str
    began_at: datetime
    data_hash: str | None
    source: str | None
    commit: str | None
    clean: bool | None
    lock_file: str | None
    lock_hash: str | None
    parameters: dict[str, str]

    @classmethod
    def of(cls, run: Run) -> "Training":
        """Return what a run says."""
        tags = run.data.tags
        commit, clean = split_revision(tags.get("mlflow.source.git.commit", "unknown"))
        known = commit != "unknown"
        return cls(
            run_id=run.info.run_id,
            name=run.info.run_name,
            began_at=datetime.fromtimestamp(run.info.start_time / 1_000, UTC),
            data_hash=tags.get("data_hash"),
            source=tags.get("source"),
            commit=commit if known else None,
            clean=clean if known else None,
            lock_file=tags.get("lock_file"),
            lock_hash=tags.get("lock_hash"),
            parameters=dict(run.data.params),
        )


class Lineage(BaseModel):
    """What the tracker has of a version. `decision` is the gate's sentence, `pages` are addresses by what is there.

    `record` is what it was made from (None: an earlier release trained it, or it is gone), `decided_by` the tracker's
    run with the decision and the record. `moves`: how the version came into production and left it, oldest first.
    `missing`: a sentence for each part that the tracker does not have.
    """

    model_config = ConfigDict(frozen=True)

    version: RegisteredVersion | None
    training: Training | None
    record: TrainingRecord | None = None
    decided_by: str | None = None
    decision: str | None
    pages: dict[str, str]
    moves: list[Entry]
    missing: list[str]


def read_lineage(name: str, number: str) -> Lineage:
    """Return where a version of a model comes from. Raises `MlflowException` when the tracker does not answer."""
    missing: list[str] = []
    moves = [entry for entry in read_entries(name) if entry.state == "done" and number in (entry.before, entry.after)]
    version = find_number(name, number)
    decision = next((entry.reason for entry in moves if (entry.event, entry.after) == ("promotion", number)), None)
    if version is None:
        missing.append(f"The registry has no version {number} of '{name}' any more, so its training is not known.")
        return Lineage(version=None, training=None, decision=decision, pages={}, moves=moves, missing=missing)
    run = find_run(version.run_id)
    if run is None:
        missing.append(f"The training run {version.run_id} is no longer in the tracker.")
    elif run.info.lifecycle_stage == LifecycleStage.DELETED:
        missing.append(f"The training run {version.run_id} is marked as deleted in the tracker.")
    evaluated = find_run(version.evaluation_run)
    decided = deciding_run(version, evaluated)
    if decided and "reason" in decided.data.tags:
        decision = decided.data.tags["reason"]
    if decision is None:
        missing.append(f"The decision about version {number} is neither in the tracker nor in the promotion log.")
    pages = {}
    for what, at, path in (("evaluation", evaluated, _EVALUATION), ("decision", decided, _DECISION)):
        if at and (page := _page(at, path)):
            pages[what] = page
        else:
            missing.append(f"The tracker does not have {path} of version {number}.")
    record = None
    try:
        record = read_record(decided.info.run_id) if decided else None
    except RecordError as error:
        missing.append(f"The record of what version {number} was made from is damaged: {error}.")
    if not moves:
        missing.append(f"The promotion log has no entry about version {number}.")
    return Lineage(
        version=version, training=Training.of(run) if run else None, record=record,
        decided_by=decided.info.run_id if decided else None, decision=decision, pages=pages, moves=moves,
        missing=missing,
    )  # fmt: skip


def find_run(run_id: str) -> Run | None:
    """Return a run of the tracker, or None if it does not have it."""
    try:
        return mlflow.get_run(run_id)
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise


def deciding_run(version: RegisteredVersion, evaluated: Run | None) -> Run | None:
    """Return the tracker's run of the pipeline run that decided about a version.

    `evaluated` is the run of its evaluation; if that was cached, it is another one.
    """
    name = version.tags.get("bento_run")
    if evaluated is None or name is None or evaluated.info.run_name == name:
        return evaluated
    found = mlflow.MlflowClient().search_runs(
        [evaluated.info.experiment_id], filter_string=f"attributes.run_name = '{name}'", max_results=1
    )
    return found[0] if found else None


def _page(run: Run, path: str) -> str | None:
    """Return where a file of a run is: on this machine, or on the pages of the tracker. None: it is not there."""
    try:
        files = mlflow.MlflowClient().list_artifacts(run.info.run_id, path.rpartition("/")[0] or None)
    except (MlflowException, OSError):
        return None
    if path not in {file.path for file in files}:
        return None
    address = urlsplit(run.info.artifact_uri)
    if address.scheme in ("", "file"):
        return str(Path(unquote(address.path)) / path)
    tracker = _LOGIN.sub("//", mlflow.get_tracking_uri())
    if not tracker.startswith("http"):
        return f"{run.info.artifact_uri}/{path}"
    return f"{tracker.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts/{path}"
