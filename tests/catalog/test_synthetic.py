"""The embedded listings: the same on every machine, and a fair stand-in for real ones."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from catalog.classifier import ProductTypeClassifier
from catalog.features import Block
from catalog.language import detect_language
from catalog.listings import read_listings
from catalog.synthetic import FREQUENCIES, generate, write_rakuten_files
from catalog.taxonomy import RAKUTEN
from catalog.text import normalise

PINNED = "d81340c18a3ca40893b3a6a6ba4ed5fca744b09dff7de2b785120b87b2008614"  # of this generator


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return generate(20_000, seed=0)


def test_the_same_size_and_seed_give_the_same_listings_everywhere() -> None:
    text = generate(500, seed=3).to_csv(index=False)
    assert hashlib.sha256(text.encode()).hexdigest() == PINNED
    assert generate(500, seed=4).to_csv(index=False) != text


def test_types_are_as_frequent_as_published(frame: pd.DataFrame) -> None:
    assert FREQUENCIES.keys() == RAKUTEN.labels.keys()
    assert sum(FREQUENCIES.values()) == 84_916
    shares = frame["prdtypecode"].value_counts(normalize=True)
    for code, count in FREQUENCIES.items():
        assert shares[code] == pytest.approx(count / 84_916, abs=0.006), code


def test_descriptions_are_missing_as_often_as_in_the_challenge_and_titles_never(frame: pd.DataFrame) -> None:
    assert frame["description"].isna().mean() == pytest.approx(0.35, abs=0.015)
    assert (frame["designation"].str.strip() != "").all()


def test_three_languages_are_spoken(frame: pd.DataFrame) -> None:
    spoken = frame["description"].dropna().map(detect_language).value_counts(normalize=True)
    assert spoken["fr"] == pytest.approx(0.80, abs=0.04)
    assert spoken["en"] > 0.08
    assert spoken["de"] > 0.05


def test_texts_are_as_untidy_as_real_ones(frame: pd.DataFrame) -> None:
    descriptions = frame["description"].dropna()
    assert descriptions.str.contains("<", regex=False).mean() > 0.2
    assert descriptions.str.contains("&eacute;", regex=False).mean() > 0.02
    assert frame["designation"].str.isupper().mean() > 0.03
    assert frame["designation"].str.contains("[éèàü]").mean() > 0.2
    assert frame["designation"].str.contains(r"\d").mean() > 0.3
    keys = frame["designation"].map(normalise) + "\n" + frame["description"].fillna("").map(normalise)
    assert keys.duplicated().mean() == pytest.approx(0.02, abs=0.01)


@pytest.mark.parametrize("size", [200, 201, 1_000])
def test_any_size_can_be_had(size: int) -> None:
    frame = generate(size)
    assert len(frame) == size
    assert (frame["prdtypecode"].value_counts() >= 10).sum() >= 2


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="between 200 and 200,000, not 10"):
        generate(10)


def test_written_files_read_back_as_they_were(tmp_path: Path) -> None:
    write_rakuten_files(tmp_path, 300, seed=1)
    read, made = read_listings(tmp_path), generate(300, seed=1)
    assert read["designation"].tolist() == made["designation"].tolist()
    assert read["description"].fillna("").tolist() == made["description"].fillna("").tolist()
    assert read["prdtypecode"].astype(int).tolist() == made["prdtypecode"].tolist()
    assert {path.name for path in tmp_path.iterdir()} == {"X_train_update.csv", "Y_train_CVw08PX.csv"}


def test_a_linear_model_learns_much_and_not_all_of_it(frame: pd.DataFrame) -> None:
    unique = frame.drop_duplicates(["designation", "description"])
    train, test = unique.iloc[:12_000], unique.iloc[-3_000:]
    rich = ProductTypeClassifier()
    poor = ProductTypeClassifier(
        blocks=[Block("both", "words", 1, 1, maximum_terms=5_000)], solver="logistic", alpha=1e-5
    )
    right = {}
    for name, classifier in (("rich", rich), ("poor", poor)):
        classifier.fit(train["designation"].tolist(), train["description"].tolist(), train["prdtypecode"])
        right[name] = (classifier.predict(test) == test["prdtypecode"]).mean()
    assert 0.75 < right["rich"] < 0.92
    assert right["rich"] > right["poor"] + 0.02
