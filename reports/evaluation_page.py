"""The page of an evaluation: every score, and the figures."""

from catalog.evaluation import Evaluation
from reports.figures import confusion_figure, data_uri, per_type_figure, reliability_figure
from reports.rendering import render


def evaluation_page(evaluation: Evaluation, title: str) -> str:
    """Return everything measured, with figures, as one HTML page."""
    weakest_first = sorted(evaluation.per_type, key=lambda scores: scores.f1)
    return render(
        "evaluation_page.html.j2",
        title=title,
        evaluation=evaluation,
        types=[
            (str(scores.code), scores.label, scores.rows, scores.precision, scores.recall, scores.f1)
            for scores in weakest_first
        ],
        slices=[(part.name, part.rows, part.weighted_f1) for part in evaluation.slices],
        confusions=[(pair.true, pair.predicted, pair.rows) for pair in evaluation.confusions],
        per_type_picture=data_uri(per_type_figure(evaluation)),
        confusion_picture=data_uri(confusion_figure(evaluation)),
        reliability_picture=data_uri(reliability_figure(evaluation)),
    )
