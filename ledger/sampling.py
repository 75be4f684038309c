"""The random sample of predictions that is reviewed whatever the model thinks of them.

A prediction's id is random (a UUID of version 4), so its last digit is a draw: one in sixteen is in the sample. Nothing
is stored for it, and neither the model nor its confidence has a part in it. What reviewers see by uncertainty is chosen
by the model in production; only this sample may decide between that model and another one.
"""

from sqlalchemy import ColumnElement

from ledger.tables import PredictionRow

_DIGIT = "0"


def is_sampled(prediction_id: str) -> bool:
    """Return whether a prediction is in the sample."""
    return prediction_id.endswith(_DIGIT)


def sampled() -> ColumnElement[bool]:
    """Return the same as a condition on the table of predictions."""
    return PredictionRow.id.endswith(_DIGIT)
