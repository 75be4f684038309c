"""Rows from all over a catalogue with their answers: a window to compare with the data of the model's evaluation."""

from itertools import islice
from pathlib import Path

from scoring.local import answer_rows
from scoring.request import ScoringRequest
from scoring.scorer import AnsweredRow
from scoring.shards import cut

COLUMNS = ["designation", "description", "language", "predicted_code", "confidence"]
_PIECE = 100  # rows next to each other


def read_sample(request: ScoringRequest, source: Path, most: int) -> list[AnsweredRow]:
    """Return at most so many rows, evenly spread over the catalogue: the values of `COLUMNS`.

    The same catalogue has the same sample. Rows that cannot be used are left out.
    """
    files = request.files()
    pieces = sum(1 for _ in cut(files, _PIECE))
    step = max(1, -(-pieces * _PIECE // most))
    chosen = islice(cut(files, _PIECE), 0, None, step)
    return [row for rows in answer_rows(request.task(source), chosen, request.processes) for row in rows][:most]
