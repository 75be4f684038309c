"""Behaviour that every model must have: invariance, expected changes of the confidence, and plain cases.

After Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", 2020.
"""

import html
import random
import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from catalog.classifier import ProductTypeClassifier
from catalog.synthetic import generate


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return generate(14_000, seed=5)


@pytest.fixture(scope="module")
def model(frame: pd.DataFrame) -> ProductTypeClassifier:
    train, held_out = frame.iloc[:12_000], frame.iloc[12_000:13_000]
    model = ProductTypeClassifier(seed=0).fit(
        train["designation"].tolist(), train["description"].tolist(), train["prdtypecode"]
    )
    return model.calibrate(held_out["designation"].tolist(), held_out["description"].tolist(), held_out["prdtypecode"])


@pytest.fixture(scope="module")
def unseen(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[13_000:]


def share_unchanged(model: ProductTypeClassifier, unseen: pd.DataFrame, change: Callable[[str], str]) -> float:
    changed = unseen.assign(
        designation=unseen["designation"].map(change),
        description=[change(text) if isinstance(text, str) else None for text in unseen["description"]],
    )
    return float((model.predict(unseen) == model.predict(changed)).mean())


def without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def with_soft_hyphens(text: str) -> str:
    plain = html.unescape(html.unescape(text))
    return re.sub(r"<[^<>]*>|(?<=\w\w)(?=\w\w)", lambda found: found[0] or "\u00ad\u200b", plain)


def upper(text: str) -> str:
    return html.unescape(text).upper()  # names of entities are in lower case


@pytest.mark.parametrize(
    "change",
    [upper, str.lower, without_accents, lambda text: f"<p>{text}</p>", lambda text: f"  {text}\n",
     lambda text: text.replace("é", "&eacute;").replace("è", "&egrave;"),
     lambda text: unicodedata.normalize("NFD", text), with_soft_hyphens],
    ids=["upper case", "lower case", "accents", "tags", "spaces", "entities", "decomposed letters", "soft hyphens"],
)  # fmt: skip
def test_changes_without_a_meaning_do_not_change_the_type(
    model: ProductTypeClassifier, unseen: pd.DataFrame, change: Callable[[str], str]
) -> None:
    assert share_unchanged(model, unseen, change) == 1.0


def test_a_typo_rarely_changes_the_type(model: ProductTypeClassifier, unseen: pd.DataFrame) -> None:
    draw = random.Random(0)

    def misspell(text: str) -> str:
        at = draw.randrange(1, max(len(text) - 1, 2))
        return text[: at - 1] + text[at : at + 1] + text[at - 1 : at] + text[at + 1 :]

    assert share_unchanged(model, unseen, misspell) > 0.9


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Piscine gonflable ronde", 2583), ("Inflatable pool", 2583), ("Aufblasbarer Pool", 2583),
        ("Canapé d'angle gris", 1560), ("Corner sofa grey", 1560), ("Ecksofa grau", 1560),
        ("Poussette bébé", 1320), ("Dog collar", 2220), ("Hundehalsband", 2220),
        ("Tondeuse à gazon", 2585), ("Chocolat noir", 1940), ("Cahier à spirale", 2522),
    ],
)  # fmt: skip
def test_plain_cases_are_right_in_every_language(model: ProductTypeClassifier, title: str, code: int) -> None:
    assert model.predict([title], [None])[0] == code


@pytest.mark.parametrize(
    ("title", "hint", "code"),
    [
        ("Accessoire noir", "piscine", 2583),
        ("Lot de 3", "cahier à spirale", 2522),
        ("Cadeau", "peluche", 1280),
    ],
)
def test_a_typical_word_raises_the_confidence_in_its_type(
    model: ProductTypeClassifier, title: str, hint: str, code: int
) -> None:
    column = int(np.searchsorted(model.classes_, code))
    before, after = model.predict_proba([title, f"{title} {hint}"], [None, None])[:, column]
    assert after > before + 0.1


def test_a_description_decides_when_the_title_has_no_hint(model: ProductTypeClassifier) -> None:
    assert model.predict(["Modèle 2024"], ["Pompe de filtration piscine, filtre à sable"])[0] == 2583


@pytest.mark.parametrize("title", ["", " ", "☃", "12345", "a" * 10_000, "<br>", "\u0000"])
def test_any_title_gets_an_answer(model: ProductTypeClassifier, title: str) -> None:
    confidence = model.predict_proba([title], [None])
    assert np.isfinite(confidence).all()


def test_every_frequent_type_is_predicted(model: ProductTypeClassifier, unseen: pd.DataFrame) -> None:
    frequent = unseen["prdtypecode"].value_counts()
    for code in frequent[frequent >= 20].index:
        rows = unseen[unseen["prdtypecode"] == code]
        assert (model.predict(rows) == code).mean() > 0.35, code
