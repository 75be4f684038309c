"""The charts of an evaluation. Of many types they show some: a chart of thousands cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.evaluation import Evaluation, TypeScores
from catalog.scores import wilson_interval
from reports.charts.bars import Bar, Bars, score_bars
from reports.charts.confusion import Cell, ConfusionMatrix, confusion_matrix
from reports.charts.labels import Tick
from reports.charts.reliability import Reliability, ReliabilityPoint, reliability
from reports.rendering import interval, render, score, thousands

_CONFUSED, _WEAKEST = 30, 60  # types in a chart


@dataclass(frozen=True)
class EvaluationCharts:
    """The charts, and sentences that say which types they show."""

    bars: Bars
    bars_note: str
    confusion: ConfusionMatrix
    confusion_note: str
    reliability: Reliability
    reliability_note: str


def evaluation_charts(evaluation: Evaluation) -> EvaluationCharts:
    """Return the charts of an evaluation."""
    count = len(evaluation.per_type)
    weakest = sorted((scores for scores in evaluation.per_type if scores.rows), key=lambda scores: scores.f1)
    confused = _most_confused(evaluation)
    of_some_bars = f" The {_WEAKEST} weakest types of {len(weakest):,}." if len(weakest) > _WEAKEST else ""
    of_some_confused = f" The {len(confused)} most confused types of {count:,}." if len(confused) < count else ""
    return EvaluationCharts(
        bars=score_bars(
            [_bar(scores) for scores in weakest[:_WEAKEST]],
            "F1 with its 95 % interval; on the right the F1 and the number of test listings",
            Tick(evaluation.weighted_f1, f"weighted F1 {score(evaluation.weighted_f1)}"),
        ),
        bars_note=f"F1 of each type, the weakest first, with 95 % intervals.{of_some_bars}",
        confusion=_matrix(evaluation, confused),
        confusion_note=f"What the listings of each true type were predicted as, in % of the type (from 5 % on). Wrong "
        f"answers are orange; the strongest orange is the most confused pair.{of_some_confused}",
        reliability=reliability(
            [_point(evaluation, place) for place in range(len(evaluation.reliability))],
            None if evaluation.threshold is None else Tick(evaluation.threshold, "answers from here on"),
        ),
        reliability_note=f"How often the model is right at each confidence, with 95 % intervals. On the dashed line "
        f"both are equal; the mean distance from it is {score(evaluation.expected_calibration_error)} (expected "
        f"calibration error).",
    )


def evaluation_pictures(charts: EvaluationCharts) -> dict[str, str]:
    """Return the charts as SVG files, by name."""
    parts = {
        "per_type": ("bars", charts.bars, "F1 by type", charts.bars_note),
        "confusion": ("confusion", charts.confusion, "Confusion matrix", charts.confusion_note),
        "reliability": ("reliability", charts.reliability, "Reliability", charts.reliability_note),
    }
    return {
        name: render("chart.svg.j2", kind=kind, chart=chart, title=title, description=note)
        for name, (kind, chart, title, note) in parts.items()
    }


def _bar(scores: TypeScores) -> Bar:
    text = f"{score(scores.f1, 2)} of {thousands(scores.rows)}"
    hint = (
        f"{scores.label}: F1 {score(scores.f1)} ({interval(scores.f1_interval)}), precision {score(scores.precision)}, "
        f"recall {score(scores.recall)}, {thousands(scores.rows)} listings"
    )
    return Bar(scores.label, scores.f1, text, hint, interval=scores.f1_interval)


def _matrix(evaluation: Evaluation, shown: Sequence[int]) -> ConfusionMatrix:
    places = {place: number for number, place in enumerate(shown)}
    return confusion_matrix(
        [evaluation.per_type[place].label for place in shown],
        [
            Cell(places[true], places[predicted], rows, rows / evaluation.per_type[true].rows)
            for true, predicted, rows in evaluation.confusion
            if true in places and predicted in places
        ],
    )


def _point(evaluation: Evaluation, place: int) -> ReliabilityPoint:
    found = evaluation.reliability[place]
    bounds = wilson_interval(found.accuracy, found.rows)
    return ReliabilityPoint(found.lower, found.upper, found.rows, found.confidence, found.accuracy, bounds)


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
