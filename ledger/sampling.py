"""The random sample of predictions that is reviewed whatever the model thinks of them.

The last digits of a prediction's id are random (it is a UUID of version 4). So the last one is a draw: one in sixteen
is in the sample. Nothing is stored for it, and neither the model nor its confidence has a part in it. What reviewers
see by uncertainty is chosen by the model in production; only this sample may decide between that model and another one.
"""

from sqlalchemy import ColumnElement, func, literal_column

from ledger.tables import PredictionRow

_LAST, _DIGIT = 36, "0"
_REST = slice(31, 35)  # other digits of the id


def is_sampled(prediction_id: str) -> bool:
    """Return whether a prediction is in the sample."""
    return prediction_id[_LAST - 1 :] == _DIGIT


def is_drawn_twice(prediction_id: str, share: float) -> bool:
    """Return whether a prediction is among the share that two reviewers look at.

    That is a draw by other digits of the id: it depends neither on the sample nor on the confidence.
    """
    try:
        return int(prediction_id[_REST], 16) < share * 16**4
    except ValueError:  # an id that is not ours
        return False


def sampled() -> ColumnElement[bool]:
    """Return whether it is in the sample, as a condition on the table of predictions.

    It has no parameters, so that a database finds the index that has the same condition.
    """
    last = func.substr(PredictionRow.id, literal_column(str(_LAST)), literal_column("1"))
    return last == literal_column(f"'{_DIGIT}'")
