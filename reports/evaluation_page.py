"""The page of an evaluation: every score, and the figures."""

from collections.abc import Mapping

from catalog.evaluation import Evaluation
from reports.figures import data_uri
from reports.rendering import render


def evaluation_page(evaluation: Evaluation, pictures: Mapping[str, bytes], title: str) -> str:
    """Return everything measured as one HTML page, with the pictures of `reports.figures.evaluation_pictures`."""
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
        per_type_picture=data_uri(pictures["per_type"]),
        confusion_picture=data_uri(pictures["confusion"]),
        reliability_picture=data_uri(pictures["reliability"]),
    )
