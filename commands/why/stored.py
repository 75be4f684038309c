"""What the ledger has of a prediction."""

from dataclasses import dataclass

from ledger.database import database_url, reading_existing
from ledger.feedback import GivenFeedback, feedback_on
from ledger.predictions import PredictionRecord, find_prediction, read_erased
from ledger.users import find_user_by_id


@dataclass(frozen=True)
class Stored:
    """A prediction, the present name of the user who asked for it (None: deleted, or unknown), and its feedback."""

    record: PredictionRecord
    username: str | None
    feedback: list[GivenFeedback]


class NoPredictionError(LookupError):
    """The ledger has no such prediction; the message says what may have become of it."""


def read_stored(prediction_id: str) -> Stored:
    """Return a prediction. Raises `NoPredictionError`, and `LedgerError` when the database does not answer."""
    url = database_url()
    with reading_existing(url) as connection:
        if connection is None:
            raise NoPredictionError(
                "there is no ledger yet: start the service with 'python run.py serve', or name the database with "
                "DATABASE_URL, or the state folder with --state DIR"
            )
        record = find_prediction(connection, prediction_id)
        if record is not None:
            user = find_user_by_id(connection, record.user_id)
            return Stored(record, user.username if user else None, feedback_on(connection, [record.id])[record.id])
    if prediction_id in read_erased(url):
        raise NoPredictionError(f"the prediction {prediction_id} was erased; nothing of it is left")
    raise NoPredictionError(
        f"the ledger has no prediction {prediction_id!r}: it never had it, or it was erased or purged; the id is "
        "'prediction_id' in the answer of /predict"
    )
