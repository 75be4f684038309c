"""The versions of a model as the registry and the tracker have them, for people and programs."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from catalog.comparison import Decision
from tracking.lineage import Training, find_run, read_lineage
from tracking.promotion_log import Entry, read_entries
from tracking.registry import PREVIOUS, PRODUCTION, RegisteredVersion, all_aliases, all_versions, find_number
from tracking.version_files import RecordedEvaluation, RecordedTypeScores, read_card, read_decision, read_evaluation


class NoVersionError(LookupError):
    """The registry has no such version."""


class Shown(BaseModel):
    """What is shown, as JSON too."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Score(Shown):
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


class ShownDecision(Shown):
    """Whether a version was to be promoted, and why. The last three: weighted F1 against the champion, with bounds."""

    promoted: bool
    reason: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """Return what is shown of a decision."""
        measured = decision.on_test
        return cls(
            promoted=decision.promoted,
            reason=decision.reason,
            difference=measured.difference if measured else None,
            low=measured.lower if measured else None,
            high=measured.upper if measured else None,
        )


class ShownVersion(Shown):
    """A version. `trained_on`: rows; `clean`: the source was as committed. None and empty: not recorded.

    `vector_share`: that of sentence vectors in its scores (0: it has none).
    """

    version: str
    aliases: list[str]
    created_at: datetime | None
    scores: dict[str, Score]
    decision: ShownDecision | None
    bento: str | None
    run_id: str
    data_hash: str | None
    commit: str | None
    clean: bool | None
    trained_on: int | None
    vector_share: float | None = None


class Move(Shown):
    """An entry of the promotion log that was done: `version` replaced `left`. `by`: who asked, where recorded."""

    id: str
    at: datetime
    action: str
    version: str
    left: str | None
    reason: str
    by: str | None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return what is shown of an entry."""
        return cls(
            id=entry.run_id, at=entry.at, action=entry.event, version=entry.after, left=entry.before,
            reason=entry.reason, by=entry.by,
        )  # fmt: skip


class Catalogue(Shown):
    """All versions of a model and its promotion log, both newest first."""

    model: str
    production: str | None
    previous: str | None
    versions: list[ShownVersion]
    log: list[Move]


class TypeScore(Shown):
    """The scores of one product type; `support`: test rows."""

    code: int
    label: str
    f1: float
    precision: float
    recall: float
    support: int

    @classmethod
    def of(cls, scores: RecordedTypeScores) -> Self:
        """Return what is shown of the scores of a type."""
        return cls(**scores.model_dump(exclude={"rows"}), support=scores.rows)


class VersionDetails(ShownVersion):
    """A version with all that is known of it. `by_type` and `card` are None where they were not recorded.

    `lineage`: the training, the decision, the pages, the moves, and sentences about what is missing.
    """

    by_type: list[TypeScore] | None
    card: str | None
    lineage: dict[str, Any]


def read_catalogue(name: str) -> Catalogue:
    """Return the versions of a model and its log; both are empty if there is no such model."""
    aliases = all_aliases(name)
    log = [Move.of(entry) for entry in read_entries(name) if entry.state == "done"][::-1]
    return Catalogue(
        model=name,
        production=aliases.get(PRODUCTION),
        previous=aliases.get(PREVIOUS),
        versions=[_shown(version, aliases, read_evaluation(version)) for version in all_versions(name)],
        log=log,
    )


def read_version(name: str, number: str) -> VersionDetails:
    """Return all that is known of a version. Raises `NoVersionError`."""
    version = find_version(name, number)
    evaluation = read_evaluation(version)
    return VersionDetails(
        **dict(_shown(version, all_aliases(name), evaluation)),
        by_type=[TypeScore.of(scores) for scores in evaluation.per_type if scores.rows] if evaluation else None,
        card=read_card(version),
        lineage=read_lineage(name, number).model_dump(mode="json", exclude={"version"}),
    )


def find_version(name: str, number: str) -> RegisteredVersion:
    """Return a version of the registry. Raises `NoVersionError`, which names those that there are."""
    version = find_number(name, number)
    if version is None:
        known = ", ".join(version.number for version in all_versions(name)) or "none"
        raise NoVersionError(f"model '{name}' has no version {number!r}; its versions: {known}")
    return version


def training_of(version: RegisteredVersion) -> Training | None:
    """Return the training of a version; None if the tracker does not have it."""
    run = find_run(version.run_id)
    return Training.of(run) if run else None


def _shown(version: RegisteredVersion, aliases: dict[str, str], evaluation: RecordedEvaluation | None) -> ShownVersion:
    training, decision = training_of(version), read_decision(version)
    parameters = training.parameters if training else {}
    rows, share = parameters.get("rows_train"), parameters.get("vector_share")
    return ShownVersion(
        version=version.number,
        aliases=sorted(alias for alias, number in aliases.items() if number == version.number),
        created_at=version.created_at,
        scores=_scores(evaluation) if evaluation else {},
        decision=ShownDecision.of(decision) if decision else None,
        bento=version.tags.get("bento_tag") or None,
        run_id=version.run_id,
        data_hash=training.data_hash if training else None,
        commit=training.commit if training else None,
        clean=training.clean if training else None,
        trained_on=int(rows) if rows else None,
        vector_share=float(share) if share else None,
    )


def _scores(evaluation: RecordedEvaluation) -> dict[str, Score]:
    low, high = evaluation.weighted_f1_interval
    macro_low, macro_high = evaluation.macro_f1_interval
    return {
        "weighted_f1": Score(value=evaluation.weighted_f1, low=low, high=high),
        "macro_f1": Score(value=evaluation.macro_f1, low=macro_low, high=macro_high),
    }
