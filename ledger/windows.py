"""The newest predictions and the feedback on them, as tables: the input of the monitoring pipeline."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Select, select

from ledger.callers import TRUSTED_ROLES
from ledger.database import reading_existing
from ledger.tables import FeedbackRow, PredictionRow

if TYPE_CHECKING:
    import pandas as pd

PREDICTION_COLUMNS = ["id", "designation", "description", "language", "predicted_code", "confidence", "created_at"]
FEEDBACK_COLUMNS = [
    "prediction_id", "predicted_code", "confidence", "correct_code", "given_by", "role", "given_at", "trusted",
]  # fmt: skip


class Window(BaseModel):
    """The newest predictions of one version of a model: at most `maximum_rows`, from `since` to `until`.

    The same window read again has the same rows, except for those that were erased or purged in between.
    """

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    model_name: str
    model_version: str
    since: AwareDatetime
    until: AwareDatetime
    maximum_rows: int


class WindowRules(BaseModel):
    """Which predictions are current: those of the version in production, the newest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(30, ge=1, le=3_650)
    maximum_rows: int = Field(10_000, ge=50, le=100_000)

    def window(self, model_name: str, model_version: str, now: datetime) -> Window:
        """Return the window of a version that ends now."""
        since = now - timedelta(days=self.days)
        return Window(
            model_name=model_name, model_version=model_version, since=since, until=now, maximum_rows=self.maximum_rows
        )


def read_predictions(url: str, window: Window) -> "pd.DataFrame":
    """Return the window's predictions, newest first (columns as in `PREDICTION_COLUMNS`).

    A ledger that does not exist yet has none. Raises `LedgerError` when the database does not answer.
    """
    columns = [getattr(PredictionRow, name) for name in PREDICTION_COLUMNS]
    with reading_existing(url) as connection:
        frame = _table(connection, _newest(window, *columns), PREDICTION_COLUMNS, "created_at")
    frame["description"] = frame["description"].astype(object).where(frame["description"].notna(), None)
    return frame


def read_feedback_on(url: str, window: Window) -> "pd.DataFrame":
    """Return the feedback on the window's predictions, oldest first (columns as in `FEEDBACK_COLUMNS`).

    Of each user on each prediction only the last feedback is returned. `given_by` is the user's id. `trusted`: whether
    the user's role at that time is one of `TRUSTED_ROLES`. Raises `LedgerError` when the database does not answer.
    """
    predictions = _newest(window, PredictionRow.id, PredictionRow.predicted_code, PredictionRow.confidence).subquery()
    query = (
        select(
            FeedbackRow.prediction_id,
            predictions.c.predicted_code,
            predictions.c.confidence,
            FeedbackRow.correct_code,
            FeedbackRow.given_by,
            FeedbackRow.role,
            FeedbackRow.given_at,
        )
        .join(predictions, predictions.c.id == FeedbackRow.prediction_id)
        .where(FeedbackRow.given_at <= window.until)
        .order_by(FeedbackRow.given_at, FeedbackRow.id)
    )
    with reading_existing(url) as connection:
        frame = _table(connection, query, FEEDBACK_COLUMNS[:-1], "given_at")
    frame["trusted"] = frame["role"].isin(TRUSTED_ROLES)
    return frame.drop_duplicates(["prediction_id", "given_by"], keep="last", ignore_index=True)


def _newest(window: Window, *columns: Any) -> Select[Any]:
    inside = select(*columns).where(
        PredictionRow.model_name == window.model_name,
        PredictionRow.model_version == window.model_version,
        PredictionRow.created_at >= window.since,
        PredictionRow.created_at <= window.until,
    )
    return inside.order_by(PredictionRow.created_at.desc(), PredictionRow.id.desc()).limit(window.maximum_rows)


def _table(connection: Connection | None, query: Select[Any], columns: list[str], time: str) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.DataFrame(connection.execute(query).all() if connection else [], columns=columns)
    frame[time] = pd.to_datetime(frame[time], utc=True)
    return frame
