"""Every figure of the reports, and a figure as a part of a page. matplotlib is imported when a figure is drawn."""

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from catalog.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from checks.drift import ColumnDrift

_BLUE, _GREY, _ORANGE, _GREEN, _RED = "#2b6cb0", "#a0aec0", "#c05621", "#2f855a", "#c53030"
_LABEL_LENGTH = 28
_DPI = 110
_CONFUSED, _WEAKEST = 30, 60  # types in a picture


def confusion_figure(evaluation: Evaluation) -> "Figure":
    """Return the confusion matrix; each row is in shares of the listings of the true type.

    Of many types only those in the most frequent confusions are shown: the picture's cost grows with their square.
    """
    from matplotlib.figure import Figure

    shown = _most_confused(evaluation)
    places = {place: number for number, place in enumerate(shown)}
    shares = np.zeros((len(shown), len(shown)))
    for true, predicted, rows in evaluation.confusion:
        if true in places and predicted in places:
            shares[places[true], places[predicted]] = rows / evaluation.per_type[true].rows
    names = [_short(evaluation.per_type[place].label) for place in shown]
    size = 3 + 0.32 * len(names)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    for row, column in zip(*np.nonzero(shares >= 0.05), strict=True):
        share = shares[row, column]
        text = f"{100 * share:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color="white" if share > 0.55 else "black")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(
        "Predicted types of each true type, in % (5 % or more)" + _part(len(shown), evaluation, "most confused")
    )
    figure.colorbar(image, ax=axes, shrink=0.6, label="share of the true type")
    return figure


def reliability_figure(evaluation: Evaluation) -> "Figure":
    """Return accuracy against confidence, above the number of listings with each confidence."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    curve, amounts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    bins = evaluation.reliability
    curve.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="perfectly calibrated")
    confidence, accuracy = [entry.confidence for entry in bins], [entry.accuracy for entry in bins]
    curve.plot(confidence, accuracy, marker="o", color=_BLUE, label="this model")
    curve.set_ylabel("share of right answers")
    curve.set_title(f"Calibration error {evaluation.expected_calibration_error:.3f}")
    middles = [(entry.lower + entry.upper) / 2 for entry in bins]
    amounts.bar(middles, [entry.rows for entry in bins], width=0.06, color=_BLUE)
    amounts.set_xlabel("confidence")
    amounts.set_ylabel("listings")
    if evaluation.threshold is not None:
        for axes in (curve, amounts):
            axes.axvline(evaluation.threshold, color=_ORANGE, label="abstention threshold")
    curve.legend(loc="upper left")
    return figure


def per_type_figure(evaluation: Evaluation) -> "Figure":
    """Return the F1 of every type, the weakest on top; of many types only the weakest."""
    from matplotlib.figure import Figure

    types = sorted(evaluation.per_type, key=lambda scores: -scores.f1)[-_WEAKEST:]
    figure = Figure(figsize=(8, 1.2 + 0.28 * len(types)), layout="constrained")
    axes = figure.subplots()
    axes.barh([_short(scores.label) for scores in types], [scores.f1 for scores in types], color=_BLUE)
    for place, scores in enumerate(types):
        axes.text(scores.f1 + 0.01, place, f"{scores.f1:.2f} of {scores.rows:,}", va="center", fontsize=8)
    axes.axvline(evaluation.weighted_f1, color=_ORANGE, label=f"weighted F1 {evaluation.weighted_f1:.3f}")
    axes.set_xlim(0, 1.15)
    axes.set_xlabel("F1, and the number of test listings")
    if part := _part(len(types), evaluation, "weakest"):
        axes.set_title(part.strip())
    axes.legend(loc="lower right", fontsize=8)
    return figure


def drift_figure(columns: "Sequence[ColumnDrift]") -> "Figure":
    """Return the distance of every column from the reference, beside its drift limit."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1 + 0.32 * len(columns)), layout="constrained")
    axes = figure.subplots()
    names = [column.column.replace("_", " ") for column in columns]
    colours = [_RED if column.drifted else _GREEN for column in columns]
    axes.barh(names, [column.score for column in columns], color=colours)
    axes.scatter([column.limit for column in columns], names, marker="|", s=160, color="black", label="drift limit")
    axes.set_xlabel("distance from the reference")
    axes.invert_yaxis()
    axes.legend(fontsize=8)
    return figure


def evaluation_pictures(evaluation: Evaluation) -> dict[str, bytes]:
    """Return the figures of an evaluation by name, as PNG. Drawing them takes longer than the evaluation itself."""
    return {
        "confusion": png(confusion_figure(evaluation)),
        "reliability": png(reliability_figure(evaluation)),
        "per_type": png(per_type_figure(evaluation)),
    }


def png(figure: "Figure") -> bytes:
    """Draw a figure and return it as PNG."""
    buffer = io.BytesIO()
    figure.set_dpi(_DPI)
    if engine := figure.get_layout_engine():
        engine.execute(figure)  # now, so that the figure is drawn once; matplotlib would draw it for the layout too
        figure.set_layout_engine(None)
    figure.savefig(buffer, format="png", dpi=_DPI)
    return buffer.getvalue()


def data_uri(picture: bytes) -> str:
    """Return a PNG as a data: URI, so that the page which shows it loads nothing."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _most_confused(evaluation: Evaluation) -> list[int]:
    """Return the places of the types to show: all, or those in the most frequent confusions, else the first."""
    count = len(evaluation.per_type)
    if count <= _CONFUSED:
        return list(range(count))
    wrong = sorted((pair for pair in evaluation.confusion if pair[0] != pair[1]), key=lambda pair: -pair[2])
    chosen: dict[int, None] = {}
    for true, predicted, _ in wrong:
        if len(chosen.keys() | {true, predicted}) <= _CONFUSED:
            chosen |= dict.fromkeys((true, predicted))
        if len(chosen) == _CONFUSED:
            break
    return sorted(chosen) or list(range(_CONFUSED))


def _part(shown: int, evaluation: Evaluation, which: str) -> str:
    """Return a line that says which types a picture shows, or nothing when it shows all."""
    count = len(evaluation.per_type)
    return "" if shown == count else f"\nthe {shown} {which} types of {count:,}"


def _short(label: str) -> str:
    short = label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…"
    return short.replace("$", r"\$")  # matplotlib would read what is between two of them as a formula
