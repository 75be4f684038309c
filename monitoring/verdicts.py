"""What the monitoring runs found, for charts."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, computed_field

from catalog.verdict import Verdict
from monitoring.report_folder import ReportFolder


class Column(BaseModel):
    """How far a column is from the reference, and whether it has drifted."""

    score: float
    drifted: bool


class MeasuredQuality(BaseModel):
    """What reviewers say. `low` and `high` are the bounds of `accuracy` (95 %); `rows` were reviewed."""

    accuracy: float
    low: float | None
    high: float | None
    weighted_f1: float | None
    rows: int


class MeasuredVerdict(BaseModel):
    """A verdict. `name`: of the report's page (None: it is no longer kept); None and empty: not measured."""

    model_config = ConfigDict(protected_namespaces=())

    at: AwareDatetime
    name: str | None
    verdict: Verdict
    reasons: list[str]
    model_version: str
    rows: int
    columns: dict[str, Column]
    quality: MeasuredQuality | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def drifted_share(self) -> float | None:
        """The share of the columns that have drifted."""
        drifted = [column.drifted for column in self.columns.values()]
        return sum(drifted) / len(drifted) if drifted else None


def read_verdicts(folder: ReportFolder, limit: int) -> list[MeasuredVerdict]:
    """Return the last verdicts, newest first. A line of the history that has none is left out."""
    return list(_verdicts(folder, limit))


def _verdicts(folder: ReportFolder, limit: int) -> Iterator[MeasuredVerdict]:
    for run in folder.history(limit):
        page = folder.find(str(run.get("html")))
        try:
            yield MeasuredVerdict.model_validate(
                {
                    **run,
                    "name": page.name if page else None,
                    "rows": run.get("current_rows"),
                    "columns": run.get("columns") or {},
                    "quality": _quality(run),
                }
            )
        except ValidationError:
            continue


def _quality(run: Mapping[str, Any]) -> dict[str, Any] | None:
    if run.get("agreement") is None:
        return None
    low, high = run.get("agreement_interval") or (None, None)
    return {
        "accuracy": run["agreement"],
        "low": low,
        "high": high,
        "weighted_f1": run.get("weighted_f1"),
        "rows": run.get("feedback_rows"),
    }
