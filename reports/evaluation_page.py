"""The page of an evaluation: every score, and the charts."""

from catalog.evaluation import Evaluation
from reports.evaluation_charts import EvaluationCharts
from reports.rendering import render

_PAIRS = 10  # confused pairs that are listed


def evaluation_page(evaluation: Evaluation, charts: EvaluationCharts, title: str, vector_share: float = 0) -> str:
    """Return everything measured as one HTML page. `vector_share`: that of sentence vectors in the model's scores."""
    weakest_first = sorted(evaluation.per_type, key=lambda scores: scores.f1)
    return render(
        "evaluation_page.html.j2",
        title=title,
        vector_share=vector_share,
        evaluation=evaluation,
        charts=charts,
        types=[
            (str(scores.code), scores.label, scores.rows, scores.precision, scores.recall, scores.f1,
             *scores.f1_interval)
            for scores in weakest_first
        ],
        slices=[(part.name, part.rows, part.weighted_f1) for part in evaluation.slices],
        confusions=_most_frequent(evaluation),
    )  # fmt: skip


def _most_frequent(evaluation: Evaluation) -> list[tuple[str, str, int, int, float]]:
    """Return the most frequent confusions: true and predicted label, rows, all rows of the true type, their share."""
    wrong = sorted((pair for pair in evaluation.confusion if pair[0] != pair[1]), key=lambda pair: -pair[2])
    types = evaluation.per_type
    return [
        (types[true].label, types[predicted].label, rows, types[true].rows, rows / types[true].rows)
        for true, predicted, rows in wrong[:_PAIRS]
    ]
