"""The page of an evaluation, and its charts."""

from xml.etree import ElementTree

import numpy as np
import pytest

from catalog.abstention import Abstention
from catalog.evaluation import Evaluation, evaluate
from catalog.novelty import AnsweredShare, NoveltyTrial
from catalog.taxonomy import Taxonomy
from reports.evaluation_charts import evaluation_charts, evaluation_pictures
from reports.evaluation_page import evaluation_page
from tests.reports.boxes import assert_nothing_collides, charts_of
from tests.reports.reading import Page
from tests.reports.values import TAXONOMY, an_evaluation

NEVER = Abstention(target_precision=0.9, threshold=None, threshold_by_share=None, usual_score=None, on_novelty=False)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return an_evaluation()


@pytest.fixture(scope="module")
def page(evaluation: Evaluation) -> str:
    return page_of(evaluation, "Evaluation of <x>")


def page_of(evaluation: Evaluation, title: str = "Evaluation") -> str:
    return evaluation_page(evaluation, evaluation_charts(evaluation), title)


def of_many_types(types: int, *, faultless: bool = False) -> Evaluation:
    """Four listings of each type. Types 101 to 105 are once predicted as type 7, type 201 always as type 9."""
    true = np.repeat(np.arange(1, types + 1), 4)
    predicted = true.copy()
    if not faultless:
        predicted[400:420:4] = 7
        predicted[800:804] = 9
    shop = Taxonomy(name="shop", labels={code: f"type {code}" for code in range(1, types + 1)})
    return evaluate(true, predicted, np.ones(len(true)), np.ones(len(true)), {}, shop, NEVER, seed=0)


def test_the_page_contains_its_charts_and_loads_nothing(page: str) -> None:
    read = Page(page)
    read.assert_it_loads_nothing()
    assert read.charts == 3
    assert read.loaded == ["data:,"]


def test_titles_labels_and_slices_are_escaped(page: str) -> None:
    assert not {"b", "x", "fr"} & Page(page).tags
    assert "<h1>Evaluation of &lt;x&gt;</h1>" in page
    assert "Pools &lt;b&gt;&amp;" in page
    assert "language &lt;fr&gt;" in page


def test_the_page_says_what_the_score_would_be_with_near_duplicates(page: str, evaluation: Evaluation) -> None:
    near = evaluation.model_copy(update={"near_duplicates": 1_039, "weighted_f1_with_near_duplicates": 0.87654})
    text = Page(page_of(near)).text
    assert "1,039 more are left out: each is a near duplicate of a listing that was trained on." in text
    assert "With them weighted F1 would be 0.877." in text
    assert "near duplicate" not in Page(page).text


def test_the_page_says_what_a_trial_without_some_types_gave(page: str, evaluation: Evaluation) -> None:
    without, with_novelty = AnsweredShare(coverage=0.84, precision=0.81), AnsweredShare(coverage=0.82, precision=0.93)
    trial = NoveltyTrial(
        types=5, known_rows=1_567, unknown_rows=351, auc=0.974, known_flagged=0.02, unknown_flagged=0.741,
        without=without, with_novelty=with_novelty,
    )  # fmt: skip
    text = Page(page_of(evaluation.model_copy(update={"novelty_trial": trial, "on_novelty": True}))).text
    assert "Of 351 validation listings of these types 74.1% are novel to it, and of 1,567 of the other types" in text
    assert "81.0% of its answers are right, and 93.0% if it abstains on novel listings" in text
    assert "it then answers 82.0% instead of 84.0%. The gain is larger than the loss, so the model abstains on" in text
    assert "At confidence 0.800 and above, if the listing is not novel, it answers" in text
    idle = trial.model_copy(update={"with_novelty": without})
    text = Page(page_of(evaluation.model_copy(update={"novelty_trial": idle}))).text
    assert "The gain is not larger than the loss, so only the confidence decides." in text
    assert f"Of the test listings {evaluation.novel:.1%} are novel." in Page(page).text
    assert "was not measured" in Page(page).text


def test_the_page_shows_the_scores_with_three_digits(page: str, evaluation: Evaluation) -> None:
    text = Page(page).text
    lower, upper = evaluation.macro_f1_interval
    assert f"Macro F1 {evaluation.macro_f1:.3f} {lower:.3f} to {upper:.3f}" in text
    assert "Measured on 400 test listings that no version was trained on." in text
    weakest = min(evaluation.per_type, key=lambda scores: scores.f1)
    row = f"{weakest.code} {weakest.label} {weakest.rows} {weakest.precision:.3f} {weakest.recall:.3f} {weakest.f1:.3f}"
    low, high = weakest.f1_interval
    assert f"code type listings precision recall F1 lower bound upper bound {row} {low:.3f} {high:.3f}" in text


def test_the_page_names_the_pairs_that_are_confused_most(page: str, evaluation: Evaluation) -> None:
    text, worst = Page(page).text, evaluation.confusions[0]
    rows = next(scores.rows for scores in evaluation.per_type if scores.label == worst.true)
    assert f"{worst.rows} of {rows} listings of {worst.true} were predicted as {worst.predicted}" in text
    assert f"true predicted listings of share {worst.true} {worst.predicted} {worst.rows} {rows} " in text


def test_a_faultless_model_has_no_confused_pair() -> None:
    text = Page(page_of(of_many_types(3, faultless=True))).text
    assert "No test listing was predicted as another type." in text
    assert "most frequent confusion" not in text


def test_the_page_says_where_the_model_abstains(page: str, evaluation: Evaluation) -> None:
    assert f"At confidence 0.800 and above it answers {evaluation.coverage:.1%} of the listings" in Page(page).text
    without = Page(page_of(an_evaluation(threshold=None))).text
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
    text = Page(page_of(other)).text
    assert "40 types of the taxonomy have no test listing, and no figure is about them: <type 0>, <type 1>" in text
    assert "<type 9> and 30 more." in text


def test_charts_name_every_type(evaluation: Evaluation) -> None:
    charts = evaluation_charts(evaluation)
    assert charts.confusion.labels == tuple(TAXONOMY.labels.values())
    assert {bar.label for bar in charts.bars.bars} == set(TAXONOMY.labels.values())


def test_no_text_of_a_chart_collides_with_another_one_or_with_a_line(page: str) -> None:
    charts = [*charts_of(page), *charts_of(page_of(of_many_types(500)))]
    assert len(charts) == 6
    for chart in charts:
        assert_nothing_collides(chart)


def test_the_cells_of_the_confusion_matrix_say_what_they_are(page: str, evaluation: Evaluation) -> None:
    (true, predicted, rows), types = max(evaluation.confusion, key=lambda pair: pair[2]), evaluation.per_type
    hint = f"{types[true].label} → {types[predicted].label}: {rows}, {rows / types[true].rows:.1%}"
    assert hint in Page(page).chart_texts


def test_wrong_pairs_have_a_scale_of_their_own_up_to_the_most_confused_one() -> None:
    matrix = evaluation_charts(of_many_types(250)).confusion
    always = next(cell for cell in matrix.cells if matrix.labels[cell.true] == "type 201")
    sometimes = next(cell for cell in matrix.cells if cell.share == 0.25)
    assert (always.share, matrix.strength(always), matrix.number(always)) == (1.0, 1.0, "100")
    assert (matrix.strength(sometimes), matrix.number(sometimes)) == (0.25, "25")


def test_the_chart_of_many_types_that_are_never_confused_shows_some_of_them() -> None:
    assert len(evaluation_charts(of_many_types(40, faultless=True)).confusion.labels) == 30


def test_charts_of_many_types_show_the_most_confused_and_the_weakest_ones() -> None:
    charts = evaluation_charts(of_many_types(500))
    assert charts.confusion.labels == tuple(f"type {code}" for code in (7, 9, 101, 102, 103, 104, 105, 201))
    assert charts.confusion_note.endswith(" The 8 most confused types of 500.")
    assert len(charts.bars.bars) == 60
    assert charts.bars_note.endswith(" The 60 weakest types of 500.")


def test_the_page_of_three_thousand_types_stays_small() -> None:
    assert len(page_of(of_many_types(3_000))) < 1_000_000


@pytest.mark.parametrize("label", ["from $5 to $10", "</svg><script>x()</script>", "数" * 200, '"><b>', "a\nb"])
def test_a_label_is_shown_as_text_and_cut_to_its_room(label: str, evaluation: Evaluation) -> None:
    types = (evaluation.per_type[0].model_copy(update={"label": label}), *evaluation.per_type[1:])
    other = evaluation.model_copy(update={"per_type": types})
    page = page_of(other)
    read = Page(page)
    read.assert_it_loads_nothing()
    assert not {"b", "x"} & read.tags
    for chart in charts_of(page):
        assert_nothing_collides(chart)
    for picture in evaluation_pictures(evaluation_charts(other)).values():
        assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_pictures_are_files_of_svg_with_their_colours_inside(evaluation: Evaluation) -> None:
    pictures = evaluation_pictures(evaluation_charts(evaluation))
    assert set(pictures) == {"per_type", "confusion", "reliability"}
    for picture in pictures.values():
        root = ElementTree.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "--paper" in picture
        assert "script" not in picture


def test_the_reliability_chart_marks_the_abstention_threshold(page: str) -> None:
    assert "answers from here on" in Page(page).chart_texts
    assert "answers from here on" not in Page(page_of(an_evaluation(threshold=None))).chart_texts


def test_the_reliability_chart_says_how_many_listings_each_point_is_about(page: str, evaluation: Evaluation) -> None:
    texts = Page(page).chart_texts
    assert [entry for entry in evaluation.reliability if str(entry.rows) not in texts] == []


def test_the_page_says_that_the_model_has_sentence_vectors(page: str, evaluation: Evaluation) -> None:
    charts = evaluation_charts(evaluation)
    assert "their share of its scores is 0.2." in Page(evaluation_page(evaluation, charts, "x", vector_share=0.2)).text
    assert "sentence vectors" not in page
