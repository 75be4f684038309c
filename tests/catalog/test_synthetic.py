"""The embedded listings are the same on every machine, and similar to real ones."""

import hashlib

import pandas as pd
import pytest
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from catalog.synthetic import FREQUENCIES, Listing, generate, write_listings
from catalog.synthetic_vocabulary import DETAILS, GROUPS, ITEMS
from catalog.taxonomy import RAKUTEN
from catalog.text import normalise

PINNED = "7a1136d904ce567669aee570d4b2f44d8da68365841897397fa2e64d041a1191"  # changes only on purpose


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return generate(20_000, seed=0)


@pytest.fixture(scope="module")
def listings() -> tuple[list[Listing], list[int]]:
    return write_listings(20_000, seed=0)


def test_the_same_size_and_seed_give_the_same_listings_everywhere() -> None:
    text = generate(500, seed=3).to_csv(index=False, lineterminator="\n")
    assert hashlib.sha256(text.encode()).hexdigest() == PINNED


def test_another_seed_gives_other_listings() -> None:
    assert not generate(200, seed=3)["designation"].equals(generate(200, seed=4)["designation"])


def test_the_columns_are_the_challenges(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == ["index", "designation", "description", "productid", "imageid", "prdtypecode"]
    assert frame["index"].tolist() == list(range(20_000))
    assert frame["productid"].is_unique
    assert frame["imageid"].is_unique
    assert frame["description"].map(lambda text: text is None or isinstance(text, str)).all()


def test_the_published_frequencies_cover_the_27_types() -> None:
    assert FREQUENCIES.keys() == RAKUTEN.labels.keys()
    assert sum(FREQUENCIES.values()) == 84_916


@pytest.mark.parametrize("stock", [ITEMS, DETAILS], ids=["items", "details"])
def test_every_type_has_words_in_every_language(stock: dict[int, dict[str, tuple[str, ...]]]) -> None:
    assert stock.keys() == FREQUENCIES.keys()
    assert all(len(phrases) >= 3 and all(phrases) for of_type in stock.values() for phrases in of_type.values())


def test_types_are_as_frequent_as_published(frame: pd.DataFrame) -> None:
    shares = frame["prdtypecode"].value_counts(normalize=True)
    for code, count in FREQUENCIES.items():
        assert shares[code] == pytest.approx(count / 84_916, abs=0.006), code


def test_a_third_of_the_descriptions_but_no_title_is_missing(frame: pd.DataFrame) -> None:
    assert frame["description"].isna().mean() == pytest.approx(0.35, abs=0.015)
    assert (frame["designation"].str.strip() != "").all()


def test_listings_are_in_three_languages(listings: tuple[list[Listing], list[int]]) -> None:
    shares = pd.Series([listing.language for listing in listings[0]]).value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"fr": 0.80, "en": 0.12, "de": 0.08}, abs=0.01)


def test_titles_have_20_to_120_characters(frame: pd.DataFrame) -> None:
    lengths = frame["designation"].map(lambda title: len(normalise(title)))
    assert lengths.min() >= 20
    assert lengths.max() <= 120


def test_descriptions_are_short_with_a_long_tail(frame: pd.DataFrame) -> None:
    lengths = frame["description"].dropna().str.len()
    assert 220 < lengths.median() < 290
    assert lengths.quantile(0.99) > 1_500
    assert 2_500 < lengths.max() < 4_000


@pytest.mark.parametrize("mark_up", ["<br />", "<p>", "<b>", "<li>", "&eacute;", "&amp;", "&#39;", "&nbsp;"])
def test_some_descriptions_contain_mark_up(frame: pd.DataFrame, mark_up: str) -> None:
    assert 0.02 < frame["description"].dropna().str.contains(mark_up, regex=False).mean() < 0.3


def test_titles_are_untidy(frame: pd.DataFrame) -> None:
    titles = frame["designation"]
    assert titles.str.isupper().mean() == pytest.approx(0.06, abs=0.015)
    assert 0.003 < titles.str.contains(r"&\w+;|&#39;").mean() < 0.05
    assert titles.str.contains(r"\b[A-Z]{2}-\d{3,4}\b").mean() > 0.05
    assert titles.str.contains(r"\d+x\d+ cm").mean() > 0.05
    assert titles.str.contains("lot de ").mean() > 0.05
    assert titles.str.contains("[éèàüßä]").mean() > 0.2


def test_some_listings_are_repeated_with_other_capitals_or_spaces(frame: pd.DataFrame) -> None:
    texts = frame[["designation", "description"]].fillna("")
    in_substance = texts.apply(lambda column: column.map(normalise)).duplicated().mean()
    assert in_substance == pytest.approx(0.02, abs=0.005)
    assert 0.3 < texts.duplicated().mean() / in_substance < 0.9


def test_few_labels_are_wrong_and_most_of_those_are_in_the_same_group(
    listings: tuple[list[Listing], list[int]],
) -> None:
    wrong = [(listing.code, shown) for listing, shown in zip(*listings, strict=True) if listing.code != shown]
    assert len(wrong) / 20_000 == pytest.approx(0.03, abs=0.005)
    grouped = {code for codes in GROUPS.values() for code in codes}
    in_group = [any({code, shown} <= set(codes) for codes in GROUPS.values()) for code, shown in wrong]
    assert sum(in_group) > 0.75 * sum(code in grouped for code, _ in wrong)


@pytest.mark.parametrize("size", [200, 201, 1_000])
def test_every_allowed_size_is_generated(size: int) -> None:
    frame = generate(size)
    assert len(frame) == size
    assert (frame["prdtypecode"].value_counts() >= 10).sum() >= 2


@pytest.mark.parametrize("size", [199, 200_001])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"between 200 and 200,000, not {size:,}"):
        generate(size)


def test_a_linear_model_learns_the_listings_but_not_perfectly(frame: pd.DataFrame) -> None:
    texts = frame[["designation", "description"]].fillna("").map(str.lower).assign(code=frame["prdtypecode"])
    unique = texts.drop_duplicates(["designation", "description"])
    train, test = unique.iloc[:6_000], unique.iloc[-2_000:]

    blocks = [
        ("designation", TfidfVectorizer(ngram_range=(1, 2))),
        ("designation", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))),
        ("description", TfidfVectorizer(ngram_range=(1, 2))),
    ]
    seen = hstack([block.fit_transform(train[field]) for field, block in blocks]).tocsr()
    new = hstack([block.transform(test[field]) for field, block in blocks]).tocsr()
    rich = f1_score(test["code"], LinearSVC(C=0.2).fit(seen, train["code"]).predict(new), average="weighted")

    words = TfidfVectorizer(max_features=5_000)
    model = SGDClassifier(loss="log_loss", random_state=0)
    model.fit(words.fit_transform(train["designation"] + " " + train["description"]), train["code"])
    guessed = model.predict(words.transform(test["designation"] + " " + test["description"]))
    poor = f1_score(test["code"], guessed, average="weighted")

    assert 0.72 < rich < 0.88
    assert rich > poor + 0.02
