"""The rules of retention, applied: what of runs, versions, reports and the ledger goes, and what stays and why."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from state.folder import State

if TYPE_CHECKING:
    from pipelines.config import RetentionConfig, RunRules
    from stacks.run_history import StoredRun
    from tracking.retention import Needed

_LOCK = "retention.lock"
_CACHED = "training"  # the pipeline with cached steps: its runs use results of earlier ones
_ABANDONED = timedelta(days=2)  # a run that is under way for longer was killed


@dataclass(frozen=True)
class Removal:
    """One kind of what is kept: how much of it goes, how much stays, and why. `freed`: bytes; None: not counted."""

    kind: str
    gone: int
    freed: int | None
    kept: int | None
    why: str


@dataclass(frozen=True)
class Selection:
    """The runs of a pipeline that go, and those that stay with the reason."""

    going: Sequence["StoredRun"]
    staying: dict[str, Sequence["StoredRun"]]


def remove_stored(
    state: State, rules: "RetentionConfig", *, dry_run: bool = False, measure: bool = False
) -> list[Removal]:
    """Remove runs, versions, Bentos and reports that the rules do not keep; return what went and what stays.

    With `dry_run` nothing is removed. `measure` finds out how many bytes go, which takes time. Raises `LockedError` if
    another process removes something at this moment, and the errors of ZenML, MLflow and the disk.
    """
    from stacks.home import zenml_home
    from state.lock import hold

    with hold(zenml_home() / _LOCK, "the removal of what is outdated"):
        return [
            *_remove_runs(rules, dry_run=dry_run, measure=measure),
            *_remove_reports(state, rules, dry_run=dry_run),
        ]


def remove_rows(
    rules: "RetentionConfig", *, older_than: timedelta | None = None, dry_run: bool = False
) -> list[Removal]:
    """Remove rows from the ledger, if there is one, that the rules do not keep or that are older than an age.

    Raises `LedgerError`.
    """
    from ledger.database import database_url, reading_existing
    from ledger.retention import Ages, count_outdated, remove_outdated

    now = datetime.now(UTC)

    def before(days: int) -> datetime | None:
        limits = [age for age in (timedelta(days=days) if days else None, older_than) if age is not None]
        return now - min(limits) if limits else None

    ages = Ages(before(rules.predictions_days), before(rules.requests_days), before(rules.audit_days))
    with reading_existing(database_url()) as connection:
        if connection is None:
            return []
    rows = count_outdated(database_url(), ages) if dry_run else remove_outdated(database_url(), ages, now)
    return [Removal(f"{table.replace('_', ' ')} in the ledger", count, None, None, "") for table, count in rows.items()]


def rebuild_ledger() -> None:
    """Let the ledger's database shrink, if there is one. Raises `LedgerError`."""
    from ledger.database import database_url, open_engine, reading_existing
    from ledger.retention import shrink

    with reading_existing(database_url()) as connection:
        if connection is None:
            return
    engine = open_engine(database_url())
    try:
        shrink(engine, rebuild=True)
    finally:
        engine.dispose()


def select(
    runs: Sequence["StoredRun"],
    rules: "RunRules",
    needed: Collection[str],
    sources: "Collection[UUID]",
    now: datetime,
) -> Selection:
    """Decide about the runs of a pipeline, newest first.

    `needed`: the names of runs that versions need. `sources`: the ids of runs whose results the runs that stay use.
    """
    oldest = now - timedelta(days=rules.days)
    places = Counter[str]()
    going, staying = [], dict[str, list["StoredRun"]]()
    for run in runs:
        place = places[run.model]
        places[run.model] += 1
        if run.under_way and run.created > now - _ABANDONED:
            why = "under way"
        elif not place or ((not rules.runs or place < rules.runs) and (not rules.days or run.created >= oldest)):
            why = "recent"
        elif run.name in needed:
            why = "needed by a version"
        elif run.id in sources:
            why = "needed by a cached step"
        else:
            going.append(run)
            continue
        staying.setdefault(why, []).append(run)
    return Selection(going, {why: tuple(found) for why, found in staying.items()})


def _remove_runs(rules: "RetentionConfig", *, dry_run: bool, measure: bool) -> Iterator[Removal]:
    """Remove runs of the pipelines with what the tracker and the Bento store have of them."""
    from stacks.run_history import sources_of_cached_steps, stored_runs
    from tracking.retention import find_needed

    now = datetime.now(UTC)
    for pipeline, rule in (
        ("training", rules.training), ("monitoring", rules.monitoring), ("scoring", rules.scoring),
    ):  # fmt: skip
        runs = stored_runs(pipeline)
        selection = select(runs, rule, (), (), now)
        if selection.going:
            needed = find_needed(rules.rollbacks)
            selection = select(runs, rule, needed.pipeline_runs, (), now)
            staying = [run for found in selection.staying.values() for run in found]
            sources = sources_of_cached_steps(staying) if pipeline == _CACHED else ()
            selection = select(runs, rule, needed.pipeline_runs, sources, now)
            if pipeline == _CACHED and "under way" in selection.staying:
                yield Removal(f"{pipeline} runs", 0, 0, len(runs), "a training is under way and may use them")
                continue
            freed = sum(_bytes_of(run) for run in selection.going) if measure else None
            for run in [] if dry_run else selection.going:
                remove_run(run, needed)
        why = ", ".join(f"{len(found):,} {reason}" for reason, found in selection.staying.items())
        kept = sum(map(len, selection.staying.values()))
        yield Removal(f"{pipeline} runs", len(selection.going), freed if selection.going else 0, kept, why)


def remove_run(run: "StoredRun", needed: "Needed") -> None:
    """Remove a run from the tracker, the Bento store and ZenML, in this order: an interrupted removal is repeated."""
    from stacks import run_history
    from stacks.bentos import delete_bento
    from tracking import registry, retention

    tracked = run_history.tracker_run_of(run)
    if tracked and tracked not in needed.tracker_runs:
        for _, version in registry.registered_from(tracked):
            if tag := version.tags.get("bento_tag"):
                delete_bento(tag)
        retention.delete_run(tracked)
    run_history.delete_run(run, needed.mirrors.get(run.model, frozenset()))


def _bytes_of(run: "StoredRun") -> int:
    from stacks import run_history
    from tracking import retention

    tracked = run_history.tracker_run_of(run)
    return run_history.stored_bytes(run) + (retention.stored_bytes(tracked) if tracked else 0)


def _remove_reports(state: State, rules: "RetentionConfig", *, dry_run: bool) -> Iterator[Removal]:
    """Remove reports of monitoring and retraining from the state folder, and old lines of the history."""
    from monitoring.report_folder import Kept, ReportFolder

    now = datetime.now(UTC)
    folder = ReportFolder.of_state(state.folder)
    reports, retrainings = (
        Kept(rule.runs, now - timedelta(days=rule.days) if rule.days else None)
        for rule in (rules.monitoring, rules.training)
    )
    paths = folder.outdated(reports, retrainings)
    freed = sum(path.stat().st_size for path in paths)
    for path in [] if dry_run else paths:
        path.unlink(missing_ok=True)
    if rules.history_days and not dry_run:
        folder.forget_before(now - timedelta(days=rules.history_days))
    kept = len(folder.files()) - (len(paths) if dry_run else 0)
    yield Removal("report files", len(paths), freed, kept, "recent")
