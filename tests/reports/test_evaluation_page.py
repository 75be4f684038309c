"""The page of an evaluation, and its figures."""

import base64

import numpy as np
import pytest

from catalog.evaluation import Abstention, Evaluation, evaluate
from catalog.taxonomy import Taxonomy
from reports.evaluation_page import evaluation_page
from reports.figures import confusion_figure, evaluation_pictures, per_type_figure, png, reliability_figure
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
    assert "No confidence is known to keep the target precision of 90% with 95 % certainty" in without
    assert "a person must check every answer" in without


def test_the_page_says_what_the_certainty_costs_and_how_certain_the_precision_is(
    page: str, evaluation: Evaluation
) -> None:
    text = Page(page).text
    assert "keeps a precision of 90% with 95 % certainty, by the validation listings" in text
    assert evaluation.coverage < evaluation.coverage_by_share
    assert f"without that certainty it would answer {evaluation.coverage_by_share:.1%}." in text
    low, high = evaluation.selective_precision_interval or (0, 0)
    assert f"of them ({low:.1%} to {high:.1%})" in text


def test_the_page_names_types_without_a_test_listing(evaluation: Evaluation) -> None:
    labels = tuple(f"<type {number}>" for number in range(40))
    other = evaluation.model_copy(update={"types_without_rows": labels})
    text = Page(evaluation_page(other, evaluation_pictures(evaluation), "Evaluation")).text
    assert "40 types of the taxonomy have no test listing, and no figure is about them: <type 0>, <type 1>" in text
    assert "<type 9> and 30 more." in text


def test_figures_name_every_type(evaluation: Evaluation) -> None:
    names = [label.get_text() for label in confusion_figure(evaluation).axes[0].get_yticklabels()]
    assert names == list(TAXONOMY.labels.values())
    assert len(per_type_figure(evaluation).axes[0].patches) == 3


def test_the_picture_of_many_types_that_are_never_confused_shows_some_of_them() -> None:
    true = np.repeat(np.arange(1, 41), 4)
    shop = Taxonomy(name="shop", labels={code: f"type {code}" for code in range(1, 41)})
    never = Abstention(target_precision=0.9, threshold=None, threshold_by_share=None)
    faultless = evaluate(true, true, np.ones(len(true)), {}, shop, never, seed=0)
    assert len(confusion_figure(faultless).axes[0].get_yticklabels()) == 30


def test_pictures_of_many_types_show_the_most_confused_and_the_weakest_ones() -> None:
    types = 500
    true = np.repeat(np.arange(1, types + 1), 4)
    predicted = true.copy()
    predicted[400:420:4] = 7  # five types, each once predicted as type 7
    predicted[800:804] = 9  # type 201 is always predicted as type 9
    shop = Taxonomy(name="shop", labels={code: f"type {code}" for code in range(1, types + 1)})
    never = Abstention(target_precision=0.9, threshold=None, threshold_by_share=None)
    many = evaluate(true, predicted, np.ones(len(true)), {}, shop, never, seed=0)
    confusion, per_type = confusion_figure(many), per_type_figure(many)
    names = [label.get_text() for label in confusion.axes[0].get_yticklabels()]
    assert names == [f"type {code}" for code in (7, 9, 101, 102, 103, 104, 105, 201)]
    assert "the 8 most confused types of 500" in confusion.axes[0].get_title()
    assert len(per_type.axes[0].patches) == 60
    assert per_type.axes[0].get_title() == "the 60 weakest types of 500"
    assert max(*confusion.get_size_inches(), *per_type.get_size_inches()) < 25


@pytest.mark.parametrize("label", ["from $5 to $10", "$\\frac$", "a $ b"])
def test_a_label_is_no_formula_in_a_picture(label: str, evaluation: Evaluation) -> None:
    types = (evaluation.per_type[0].model_copy(update={"label": label}), *evaluation.per_type[1:])
    figure = confusion_figure(evaluation.model_copy(update={"per_type": types}))
    assert png(figure).startswith(b"\x89PNG")
    text = figure.axes[0].get_yticklabels()[0]
    assert text._preprocess_math(text.get_text()) == (label, False)


def test_a_picture_is_drawn_once(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    drawn: list[Figure] = []
    draw = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda figure, renderer: (drawn.append(figure), draw(figure, renderer)))
    assert len(evaluation_pictures(evaluation)) == len(drawn) == 3


def test_the_reliability_figure_marks_the_abstention_threshold(evaluation: Evaluation) -> None:
    def marks(of: Evaluation) -> list[str]:
        legend = reliability_figure(of).axes[0].get_legend()
        return [text.get_text() for text in legend.get_texts()] if legend else []

    assert marks(evaluation) == ["perfectly calibrated", "this model", "abstention threshold"]
    assert "abstention threshold" not in marks(an_evaluation(threshold=None))
