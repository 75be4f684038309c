"""What a version was made from, in words."""

from collections.abc import Iterator
from typing import Any

from commands.reproduce.recorded import Recorded
from tracking.training_record import TrainingRecord


def recorded_facts(recorded: Recorded) -> Iterator[tuple[str, str]]:
    """Yield everything that a version was made from, by its name in the table."""
    yield "Commit", _commit(recorded)
    yield "Libraries", _libraries(recorded.record)
    yield "Configuration", _configuration(recorded.record)
    yield "Data", _data(recorded.record)
    yield "Champion", _champion(recorded)


def _commit(recorded: Recorded) -> str:
    record, training = recorded.record, recorded.training
    if record.commit is None:
        return "not recorded"
    tree = "clean tree" if record.clean else "with changes that were not committed"
    cached = training.commit if training and training.commit not in (None, record.commit) else None
    first = f"; the training itself was in the cache, from commit {cached[:12]}" if cached else ""
    return f"{record.commit[:12]}, {tree}{first}"


def _libraries(record: TrainingRecord) -> str:
    return f"{record.lock_file} {record.lock_hash[:12]}, Python {record.python}"


def _configuration(record: TrainingRecord) -> str:
    parameters: dict[str, Any] = record.recipe.get("parameters", {})
    candidates = ", ".join(parameters.get("candidates", {}))
    return (
        f"seed {parameters.get('seed')}, candidates {candidates}, "
        f"target precision {parameters.get('target_precision')}, rules of promotion"
    )


def _data(record: TrainingRecord) -> str:
    feedback = f", with {record.feedback_rows:,} rows of feedback" if record.feedback_rows else ""
    source = record.source
    what = f"files in {source.directory}" if source.directory else source.describe()
    return f"{record.data_hash[:12]}: {what}{feedback}"


def _champion(recorded: Recorded) -> str:
    champion = recorded.record.champion
    if champion is None:
        return "none: there was no version in production"
    if recorded.record.recipe.get("new_baseline"):
        return f"version {champion.number}, not compared: a new baseline was asked for"
    return f"version {champion.number}, run {champion.run_id[:8]}"
