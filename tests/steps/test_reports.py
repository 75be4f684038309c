"""Pages and pictures of an evaluation."""

import base64
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from catalog.comparison import PromotionRules, decide
from catalog.evaluation import Evaluation, evaluate
from steps.reports import confusion_figure, decision_page, evaluation_page, model_card, per_type_figure

LABELS = {1: "Pools <b>&", 2: "Sofas | beds", 3: "Puzzles"}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    generator = np.random.default_rng(0)
    true = generator.integers(1, 4, 400)
    predicted = np.where(generator.random(400) < 0.8, true, true % 3 + 1)
    languages = np.where(generator.random(400) < 0.8, "fr", "de").astype(object)
    return evaluate(true, predicted, generator.random(400), languages, generator.random(400) < 0.6, LABELS, 0.8, 0)


class Strict(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_carries_its_pictures_and_loads_nothing(evaluation: Evaluation) -> None:
    page = evaluation_page(evaluation, "Evaluation of <x>")
    reader = Strict()
    reader.feed(page)
    assert len(reader.loaded) == 3
    for source in reader.loaded:
        kind, _, content = source.partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(content).startswith(b"\x89PNG")
    assert "Pools &lt;b&gt;&amp;" in page
    assert "Evaluation of &lt;x&gt;" in page


def test_pictures_name_every_type(evaluation: Evaluation) -> None:
    names = [label.get_text() for label in confusion_figure(evaluation).axes[0].get_yticklabels()]
    assert names == list(LABELS.values())
    assert len(per_type_figure(evaluation).axes[0].patches) == 3


def test_the_decision_page_tells_the_sentence_and_the_figures() -> None:
    true = np.arange(600) % 3 + 1
    worse = np.where(np.arange(600) < 120, true % 3 + 1, true)
    decision = decide(true, worse, true, np.zeros(600, dtype=bool), LABELS, PromotionRules(), "7", 0)
    page = decision_page(decision)
    assert "<h1>Promoted</h1>" in page
    assert "of version 7 on the same 600 test rows" in page
    assert "all test listings" in page


def facts(**changes: Any) -> dict[str, Any]:
    profile = {
        "rows": 4_000, "languages": {"fr": 0.8, "de": 0.2}, "missing_description_share": 0.35, "data_hash": "abc",
        "splits": {"train": 3_200, "validation": 400, "test": 400},
    }  # fmt: skip
    return {
        "name": "rakuten", "data_source": "files", "is_synthetic": False, "profile": profile, "temperature": 1.5,
        "parameters": {"C": 0.2}, "candidates": {"svm": 0.8}, "git_revision": "deadbeef", "created_at": "2026-01-01",
        "target_precision": 0.95,
    } | changes  # fmt: skip


def test_the_model_card_tells_data_results_and_limits(evaluation: Evaluation) -> None:
    card = model_card(evaluation, facts())
    for heading in ("What it is for", "Data", "Model", "Results on the test split", "Limits", "Reproduce"):
        assert f"\n## {heading}\n" in card
    assert "`abc`" in card
    assert "deadbeef" in card
    assert "synthetic" not in card
    assert len(re.findall(r"^\| Sofas \\\| beds \|", card, re.MULTILINE)) == 1


def test_the_model_card_of_synthetic_listings_says_so(evaluation: Evaluation) -> None:
    assert "**synthetic** listings. None of these figures" in model_card(evaluation, facts(is_synthetic=True))
