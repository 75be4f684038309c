"""The monitor service: verdicts, retrainings, and the versions of the model."""

from typing import Any, Literal, TypedDict

from ui.services.transport import Service


class ColumnDrift(TypedDict):
    """How far a column is from the reference window."""

    score: float
    drifted: bool


class MeasuredQuality(TypedDict):
    """What reviewers say: the share of right answers with its 95 % interval, by so many reviews."""

    accuracy: float
    low: float | None
    high: float | None
    weighted_f1: float | None
    rows: int


class VerdictEntry(TypedDict):
    """What one run of the monitoring pipeline found. `name`: of the report's page; None: it is no longer kept."""

    at: str
    name: str | None
    verdict: str
    reasons: list[str]
    model_version: str
    rows: int
    drifted_share: float | None
    columns: dict[str, ColumnDrift]
    quality: MeasuredQuality | None


class TimelineEntry(TypedDict):
    """Something that happened."""

    at: str
    kind: Literal["report", "alert", "retraining", "promotion", "rollback"]
    text: str
    outcome: str
    link: str | None


class RetrainingRun(TypedDict):
    """A retraining, by an alert or asked for by a user."""

    retraining: str
    alert: str | None
    asked_by: str | None
    started: str
    finished: str | None
    outcome: str
    reason: str
    model_version: str | None


class Retraining(TypedDict):
    """What is under way, what is left of the budget, and until when the next one has to wait."""

    running: RetrainingRun | None
    left_today: int
    daily_budget: int
    cool_down_until: str | None
    last: RetrainingRun | None


class Score(TypedDict):
    """A score with its 95 % interval."""

    value: float
    low: float
    high: float


class Decision(TypedDict):
    """Why a version was promoted, or not. `difference`: of weighted F1 to the version in production, with bounds."""

    promoted: bool
    reason: str
    difference: float | None
    low: float | None
    high: float | None


class Version(TypedDict):
    """A version in the registry. What was not recorded is None. `clean`: the source was as committed."""

    version: str
    aliases: list[str]
    created_at: str | None
    scores: dict[str, Score]
    decision: Decision | None
    bento: str | None
    run_id: str | None
    data_hash: str | None
    commit: str | None
    clean: bool | None
    trained_on: int | None


class TypeScores(TypedDict):
    """The scores of one product type."""

    code: int
    label: str
    f1: float
    precision: float
    recall: float
    support: int


class VersionDetails(Version):
    """A version with everything about it. `card`: Markdown."""

    by_type: list[TypeScores] | None
    card: str | None
    lineage: dict[str, Any]


class LogEntry(TypedDict):
    """A promotion or a rollback."""

    at: str
    action: str
    version: str
    left: str | None
    reason: str
    by: str | None


class Registry(TypedDict):
    """The versions of the model, newest first, and which one is in production."""

    model: str
    production: str | None
    previous: str | None
    versions: list[Version]
    log: list[LogEntry]


class TypeComparison(TypedDict):
    """One product type in two versions."""

    code: int
    label: str
    first_f1: float | None
    second_f1: float | None
    difference: float | None
    support: int


class Pair(TypedDict):
    """A figure of both versions."""

    first: float
    second: float
    difference: float


class Overall(TypedDict):
    """The scores on all test rows.

    `same_data`: both were trained and tested on the same listings. `paired`: what was measured with both on the same
    rows, if the second was compared with the first.
    """

    weighted_f1: Pair
    macro_f1: Pair
    accuracy: Pair
    rows: Pair
    same_data: bool | None
    paired: Decision | None


class Comparison(TypedDict):
    """Two versions; of the types that with the largest loss comes first."""

    first: str
    second: str
    overall: Overall
    types: list[TypeComparison]


class RolledBack(TypedDict):
    """What a rollback did. `skipped`: versions on the way that the registry no longer has."""

    left: str
    now: str
    skipped: list[str]


class MonitorService(Service):
    """The monitor service. Every method raises `ServiceError`."""

    name = "monitor"
    seconds = 160  # it reads the registry by commands, and gives up by itself after 150

    def verdicts(self, limit: int = 200) -> list[VerdictEntry]:
        """Return what the last runs found, newest first."""
        entries: list[VerdictEntry] = self.ask("GET", "/verdicts", query={"limit": limit})
        return entries

    def report(self, name: str) -> bytes:
        """Return a report as a page that loads nothing."""
        return self.fetch(f"/reports/{name}")

    def timeline(self, limit: int = 200) -> list[TimelineEntry]:
        """Return what happened, newest first."""
        entries: list[TimelineEntry] = self.ask("GET", "/timeline", query={"limit": limit})
        return entries

    def retraining(self) -> Retraining:
        """Return what is under way and what is left of the budget."""
        retraining: Retraining = self.ask("GET", "/retraining")
        return retraining

    def retrain(self, reason: str) -> None:
        """Start a retraining."""
        self.ask("POST", "/retrain", body={"reason": reason})

    def models(self) -> Registry:
        """Return the versions and the log of promotions."""
        registry: Registry = self.ask("GET", "/models")
        return registry

    def model(self, version: str) -> VersionDetails:
        """Return a version with its scores by type, its card and its lineage."""
        details: VersionDetails = self.ask("GET", f"/models/{version}")
        return details

    def compare(self, first: str, second: str) -> Comparison:
        """Return two versions beside each other."""
        comparison: Comparison = self.ask("GET", "/models/compare", query={"first": first, "second": second})
        return comparison

    def roll_back(self, reason: str, leaving: str) -> RolledBack:
        """Put the version before into production again, if `leaving` is still there."""
        moved: RolledBack = self.ask("POST", "/rollback", body={"reason": reason, "leaving": leaving})
        return moved
