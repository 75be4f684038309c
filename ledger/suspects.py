"""Listings of a catalogue whose label is in doubt, in the review queue beside the answers of the service."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from ledger.database import upsert
from ledger.sampling import is_sampled
from ledger.tables import PredictionRow

# In place of a model's version and of a user's id. Monitoring reads the answers of one version, so it leaves these out.
AUDIT = "audit"


class Suspect(NamedTuple):
    """A listing, the type that it probably has, and the confidence in that. `text_key` identifies the text."""

    text_key: str
    designation: str
    description: str | None
    language: str
    proposed_code: int
    confidence: float


def queue_suspects(connection: Connection, model_name: str, suspects: Iterable[Suspect], now: datetime) -> int:
    """Put suspects into the review queue of a model and return how many are new.

    A text enters it once: what has been reviewed does not come again. They are never in the random sample, since they
    were chosen by a model, and stand among the abstained ones, since a person must decide.
    """
    new = 0
    for suspect in suspects:
        row = upsert(connection, PredictionRow).values(
            id=_id(model_name, suspect.text_key), user_id=AUDIT, designation=suspect.designation,
            description=suspect.description, predicted_code=suspect.proposed_code, confidence=suspect.confidence,
            abstained=True, language=suspect.language, model_name=model_name, model_version=AUDIT, created_at=now,
        )  # fmt: skip
        new += connection.execute(row.on_conflict_do_nothing()).rowcount
    return new


def _id(model_name: str, text_key: str) -> str:
    """Return the id of a suspect: the same for the same text, and outside the random sample."""
    found = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{model_name}\n{text_key}"))
    return f"{found[:-1]}1" if is_sampled(found) else found
