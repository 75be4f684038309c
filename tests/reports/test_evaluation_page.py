"""The page of an evaluation, and its figures."""

import base64

import pytest

from catalog.evaluation import Evaluation
from reports.evaluation_page import evaluation_page
from reports.figures import confusion_figure, evaluation_pictures, per_type_figure, reliability_figure
from tests.reports.reading import Page
from tests.reports.values import TAXONOMY, an_evaluation


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return an_evaluation()


@pytest.fixture(scope="module")
def page(evaluation: Evaluation) -> str:
    return evaluation_page(evaluation, evaluation_pictures(evaluation), "Evaluation of <x>")


def test_the_page_contains_its_pictures_and_loads_nothing(page: str) -> None:
    read = Page(page)
    read.assert_it_loads_nothing()
    pictures = [address for address in read.loaded if address != "data:,"]
    assert len(pictures) == 3
    for address in pictures:
        kind, _, content = address.partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content).startswith(b"\x89PNG")


def test_titles_labels_and_slices_are_escaped(page: str) -> None:
    assert not {"b", "x", "fr"} & Page(page).tags
    assert "<h1>Evaluation of &lt;x&gt;</h1>" in page
    assert "Pools &lt;b&gt;&amp;" in page
    assert "language &lt;fr&gt;" in page


def test_the_page_shows_the_scores_with_three_digits(page: str, evaluation: Evaluation) -> None:
    text = Page(page).text
    lower, upper = evaluation.macro_f1_interval
    assert f"{evaluation.macro_f1:.3f} macro F1 ({lower:.3f} to {upper:.3f})" in text
    assert "on 400 test listings that no version was trained on." in text
    weakest = min(evaluation.per_type, key=lambda scores: scores.f1)
    row = f"{weakest.code} {weakest.label} {weakest.rows} {weakest.precision:.3f} {weakest.recall:.3f} {weakest.f1:.3f}"
    assert f"code type listings precision recall F1 {row}" in text
    worst = evaluation.confusions[0]
    assert f"true predicted listings {worst.true} {worst.predicted} {worst.rows}" in text


def test_the_page_says_where_the_model_abstains(page: str, evaluation: Evaluation) -> None:
    assert f"At confidence 0.800 and above it answers {evaluation.coverage:.1%} of the listings" in Page(page).text
    other = an_evaluation(threshold=None)
    without = Page(evaluation_page(other, evaluation_pictures(other), "Evaluation")).text
    assert "The target precision is out of reach at any confidence" in without


def test_figures_name_every_type(evaluation: Evaluation) -> None:
    names = [label.get_text() for label in confusion_figure(evaluation).axes[0].get_yticklabels()]
    assert names == list(TAXONOMY.labels.values())
    assert len(per_type_figure(evaluation).axes[0].patches) == 3


def test_the_reliability_figure_marks_the_abstention_threshold(evaluation: Evaluation) -> None:
    def marks(of: Evaluation) -> list[str]:
        legend = reliability_figure(of).axes[0].get_legend()
        return [text.get_text() for text in legend.get_texts()] if legend else []

    assert marks(evaluation) == ["perfectly calibrated", "this model", "abstention threshold"]
    assert "abstention threshold" not in marks(an_evaluation(threshold=None))
