"""The served predictor: it gives the answers of the trained classifier, and the reasons for them."""

import math
import random
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from catalog.blocks import Block
from catalog.classifier import ProductTypeClassifier
from catalog.model_folder import CARD, Manifest, ModelFolderError
from catalog.predictor import Classification, Predictor, Reason
from catalog.synthetic import generate
from catalog.text import normalise, words

Listing = tuple[str, str | None]
COLUMNS = ["designation", "description"]

ROUNDING = 1e-5  # float32 sums in another order: scores were seen to differ by up to 8e-6

ODD_LISTINGS: list[Listing] = [
    ("", None), ("", ""), (" ", "   "), ("Piscine", ""), ("", "Piscine gonflable"), ("piscine", None),
    ("zqxj vwkq", "qqqqqqqq zzzzzz"), ("☃", "★★★"), ("🏊 Piscine 🏊", "👩‍👩‍👧 🇫🇷"), ("!!! ??? ...", "---"),
    ("<b>Piscine</b> &eacute;t&eacute;", "<p>L&amp;#39;&amp;eacute;t&amp;eacute;</p><br/><!-- rien -->"),
    ("a < b > c & d", "&lt;script&gt;alert(1)&lt;/script&gt;"), ("1", "2"), ("piscine " * 300, "bleu " * 3_000),
    ("ab" * 5_000, "x" * 100_000), ("Straße ŒUVRE ﬁn №5", "泳池 充气 プール بركة"), ("\u0000\ufffe\x85", "\ud800"),
]  # fmt: skip
any_text = st.text(st.characters(exclude_categories=()), max_size=200)  # with lone surrogates


@pytest.fixture(scope="module")
def listings() -> list[Listing]:
    """500 listings that the model was not trained on."""
    frame = generate(1_000, seed=12).iloc[: 500 - len(ODD_LISTINGS)]
    descriptions = [text if isinstance(text, str) else None for text in frame["description"]]
    return [*zip(frame["designation"].tolist(), descriptions, strict=True), *ODD_LISTINGS]


def write(
    classifier: ProductTypeClassifier,
    folder: Path,
    card: str | None = "# Karte für «rakuten»\n",
    *,
    abstains_on_novelty: bool = False,
) -> Path:
    """Package a model to which half of the listings are novel."""
    usual_score = float(np.median(classifier.decision_function(generate(200, seed=15)).max(axis=1)))
    folder.mkdir()
    classifier.export(folder)
    if card is not None:
        (folder / CARD).write_text(card, encoding="utf-8")
    Manifest(
        name="rakuten", model_version="3", run_id="r", data_hash="d", scores={"weighted_f1": 0.9},
        labels={int(code): f"type {code}" for code in classifier.classes_}, threshold=0.5,
        usual_score=usual_score, abstains_on_novelty=abstains_on_novelty,
        temperature=classifier.temperature_, parameters={"C": 0.2, "blocks": [{"field": "title", "weight": 1.0}]},
        registered_at="2026-01-01T00:00:00+00:00",
    ).seal(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def sealed(classifier: ProductTypeClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(classifier, tmp_path_factory.mktemp("sealed") / "model")


@pytest.fixture(scope="module")
def predictor(sealed: Path) -> Predictor:
    return Predictor(sealed)


# The answers


def test_the_predictor_answers_as_the_classifier(
    classifier: ProductTypeClassifier, predictor: Predictor, listings: Sequence[Listing]
) -> None:
    expected = classifier.predict_proba(*zip(*listings, strict=True))
    for _ in range(2):  # the words are new, and then they are in the cache
        given = np.array([predictor.probabilities(*listing) for listing in listings])
        assert_allclose(given, expected, atol=ROUNDING)
        assert_array_equal(given.argmax(axis=1), expected.argmax(axis=1))
    scores = classifier.decision_function(*zip(*listings, strict=True))
    assert_allclose([predictor.scores(*listing) for listing in listings], scores, atol=ROUNDING)


@pytest.mark.parametrize(
    "blocks",
    [
        [Block("both", "words", 1, 1, maximum_terms=50)],
        [Block("description", "words", 1, 2, weight=0.5), Block("title", "characters", 3, 4, weight=2.0)],
        [Block("title", "words", minimum_listings=10_000), Block("both", "words", 1, 2)],
    ],
    ids=["single words", "weighted blocks", "a block without terms"],
)
def test_other_blocks_give_the_answers_of_the_classifier_too(
    blocks: list[Block], listings: Sequence[Listing], tmp_path: Path
) -> None:
    frame = generate(600, seed=13)
    classifier = ProductTypeClassifier(blocks=blocks).fit(
        frame["designation"].tolist(), frame["description"].tolist(), frame["prdtypecode"]
    )
    predictor = Predictor(write(classifier, tmp_path / "model"))
    expected = classifier.predict_proba(*zip(*listings, strict=True))
    assert_allclose([predictor.probabilities(*listing) for listing in listings], expected, atol=ROUNDING)
    assert predictor.predict_batch(listings) == [predictor.predict_top_k(*listing) for listing in listings]


def test_a_listing_is_novel_if_its_highest_score_is_below_the_usual_one(
    predictor: Predictor, listings: Sequence[Listing]
) -> None:
    novel = [predictor.predict_top_k(*listing).novelty for listing in listings]
    usual = predictor.manifest.usual_score
    assert novel == [predictor.scores(*listing).max() < usual for listing in listings]
    assert 100 < sum(novel) < 400
    assert predictor.predict_top_k("☃").novelty


def test_a_model_that_abstains_on_novelty_does_so_however_sure_it_is(
    classifier: ProductTypeClassifier, predictor: Predictor, listings: Sequence[Listing], tmp_path: Path
) -> None:
    careful = Predictor(write(classifier, tmp_path / "model", abstains_on_novelty=True))
    by_confidence, by_both = predictor.predict_batch(listings), careful.predict_batch(listings)
    assert [answer.abstained for answer in by_both] == [answer.abstained or answer.novelty for answer in by_confidence]
    assert any(answer.novelty and not answer.abstained for answer in by_confidence)


def test_many_threads_get_the_same_answers(predictor: Predictor, listings: Sequence[Listing]) -> None:
    expected = [predictor.predict_top_k(*listing) for listing in listings]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda listing: predictor.predict_top_k(*listing), listings)) == expected
        batches = [listings[first : first + 20] for first in range(0, len(listings), 20)]
        assert list(chain.from_iterable(pool.map(predictor.predict_batch, batches))) == expected


@pytest.mark.parametrize(
    "text", ["ab" * 50_000, " ".join(f"w{number:x}" for number in range(16_000))], ids=["one word", "new words only"]
)
def test_no_listing_takes_long(sealed: Path, text: str) -> None:
    predictor = Predictor(sealed)
    started = process_time()
    predictor.predict_top_k("piscine", text)
    assert process_time() - started < 2


# Many listings at a time


def test_a_batch_gets_the_answers_of_single_listings_bit_for_bit(sealed: Path, listings: Sequence[Listing]) -> None:
    alone, together = Predictor(sealed), Predictor(sealed)
    frame = generate(2_000, seed=14)
    more = [(title, text if isinstance(text, str) else None) for title, text in frame[COLUMNS].to_numpy().tolist()]
    mixed = [*listings, *more, *more[:300], *[(title.split(" ")[0], None) for title, _ in more[:300]]]
    random.Random(0).shuffle(mixed)
    for size, k in ((1, 3), (7, 1), (64, 27), (1_000, 100)):
        for part in (mixed[first : first + size] for first in range(0, 1_000, size)):
            assert together.predict_batch(part, k) == [alone.predict_top_k(*listing, k) for listing in part]


@pytest.mark.parametrize("odd", ODD_LISTINGS, ids=range(len(ODD_LISTINGS)))
def test_an_odd_listing_does_not_change_the_answers_to_its_neighbours(predictor: Predictor, odd: Listing) -> None:
    plain = ("Piscine gonflable", "avec pompe")
    expected, of_odd = predictor.predict_top_k(*plain), predictor.predict_top_k(*odd)
    assert predictor.predict_batch([plain, odd, plain]) == [expected, of_odd, expected]
    assert predictor.predict_batch([odd, odd, plain, odd]) == [of_odd, of_odd, expected, of_odd]


def test_an_empty_batch_has_no_answers(predictor: Predictor) -> None:
    assert predictor.predict_batch([]) == []


def run(pieces: Generator[None, None, list[Classification]]) -> tuple[int, list[Classification]]:
    """Return after how many pieces the answers came, and the answers."""
    number = 1
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return number, end.value
        number += 1


def test_in_pieces_the_answers_are_the_same(sealed: Path, listings: Sequence[Listing]) -> None:
    long = ("piscine", " ".join(f"w{number:x}" for number in range(4_000)))
    for part, most in (([long], 20), (listings[:50], 5), ([], 2)):
        number, answers = run(Predictor(sealed).predict_in_pieces(part, 3))
        assert answers == Predictor(sealed).predict_batch(part)
        assert 1 < number <= most


def test_top_k_is_sorted_by_confidence(predictor: Predictor) -> None:
    for k in (1, 3, 27, 100):
        top = predictor.predict_top_k("Piscine gonflable", None, k).top_k
        assert len(top) == min(k, 27)
        assert [confidence for _, _, confidence in top] == sorted((share for _, _, share in top), reverse=True)
        assert all(label == f"type {code}" for code, label, _ in top)


def test_the_card_is_read(predictor: Predictor) -> None:
    assert predictor.card == "# Karte für «rakuten»\n"


def test_a_folder_without_a_card_gives_an_empty_one(classifier: ProductTypeClassifier, tmp_path: Path) -> None:
    assert Predictor(write(classifier, tmp_path / "model", card=None)).card == ""


def test_a_changed_folder_is_refused(classifier: ProductTypeClassifier, tmp_path: Path) -> None:
    folder = write(classifier, tmp_path / "model")
    (folder / "intercept.npy").write_bytes(b"")
    with pytest.raises(ModelFolderError, match=r"intercept\.npy has changed"):
        Predictor(folder)


@settings(max_examples=150, deadline=None)
@given(any_text, st.none() | any_text)
@example("", "")
@example("&#1114112;&#xD800;&#0;", "<!--" * 50)
def test_any_text_gets_confidences_that_sum_to_one(predictor: Predictor, title: str, description: str | None) -> None:
    answer = predictor.predict_top_k(title, description, k=27)
    shares = [confidence for _, _, confidence in answer.top_k]
    assert all(math.isfinite(share) and 0 <= share <= 1 for share in shares)
    assert math.isclose(sum(shares), 1, rel_tol=1e-9)
    assert answer.confidence == max(shares)


# The reasons


def all_reasons(predictor: Predictor, listing: Listing, code: int) -> list[Reason]:
    supporting, opposing = predictor.explain(*listing, code, limit=10**9)
    return supporting + opposing


def test_the_contributions_of_all_terms_and_the_intercept_sum_to_the_score(
    predictor: Predictor, sealed: Path, listings: Sequence[Listing]
) -> None:
    intercept = np.load(sealed / "intercept.npy")
    for listing in [*listings[:40], *ODD_LISTINGS]:
        scores = predictor.scores(*listing)
        for column in (0, int(scores.argmax())):
            reasons = all_reasons(predictor, listing, int(predictor.classes[column]))
            total = math.fsum(reason.contribution for reason in reasons) + intercept[column]
            assert total == pytest.approx(scores[column], abs=ROUNDING)


def test_reasons_are_split_by_sign_sorted_by_magnitude_and_limited(predictor: Predictor) -> None:
    listing = ("Piscine gonflable ronde", "<p>Jeu pour enfants, pompe et b&acirc;che</p>")
    everything = predictor.explain(*listing, 2583, limit=10**9)
    for reasons, sign in zip(everything, (1, -1), strict=True):
        magnitudes = [sign * reason.contribution for reason in reasons]
        assert magnitudes == sorted(magnitudes, reverse=True)
        assert all(magnitude > 0 for magnitude in magnitudes)
    assert predictor.explain(*listing, 2583) == (everything[0][:10], everything[1][:10])
    assert predictor.explain(*listing, 2583, limit=2) == (everything[0][:2], everything[1][:2])
    assert predictor.explain(*listing, 2583, limit=0) == ([], [])


def test_a_repeated_term_gives_one_reason(predictor: Predictor) -> None:
    reasons = all_reasons(predictor, ("piscine " * 5, "piscine, pompe de piscine"), 2583)
    named = [(reason.term, reason.field, reason.kind) for reason in reasons]
    assert len(named) == len(set(named))
    assert ("piscine", "both", "words") in named


def test_terms_are_shown_in_a_readable_form(predictor: Predictor) -> None:
    reasons = all_reasons(predictor, ("Pompe de PISCINE", "filtre"), 2583)
    whole = {reason.term for reason in reasons if reason.kind == "words"}
    pieces = {reason.term for reason in reasons if reason.kind == "characters"}
    assert {"piscine", "pompe de"} <= whole
    assert {"·pis", "isci", "ine·"} <= pieces
    assert not any(term != term.strip() or " " in term for term in pieces)
    assert {reason.field for reason in reasons} == {"both"}


def test_a_typical_word_supports_its_type_and_opposes_another(predictor: Predictor) -> None:
    supporting, _ = predictor.explain("Piscine gonflable", None, 2583)
    assert any("piscine" in reason.term for reason in supporting)
    _, opposing = predictor.explain("Piscine gonflable", None, 1560)
    assert any("pisc" in reason.term.replace("·", "") for reason in opposing)


def test_a_listing_without_known_terms_has_no_reasons(predictor: Predictor) -> None:
    assert predictor.explain("☃", None, 2583) == ([], [])
    assert predictor.explain("", "", 2583) == ([], [])


def test_an_unknown_type_cannot_be_explained(predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="4711"):
        predictor.explain("piscine", None, 4711)


@settings(max_examples=50, deadline=None)
@given(any_text)
def test_reasons_name_only_terms_of_the_text(predictor: Predictor, text: str) -> None:
    present = " ".join(words(normalise(text)))
    for reason in all_reasons(predictor, (text, None), 2583):
        assert reason.term.replace("·", "") in present
