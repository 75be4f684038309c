"""Listings of a batch are valid or not exactly as the model `Listing` says, although most do not pass through it."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bento.batch_listings import in_pieces, read_texts
from bento.schemas import Listing
from catalog.contract import CONTRACT
from catalog.listing_size import EXPANSION, NORMALISED_LIMIT
from catalog.predictor import Texts
from web.problems import field_errors

SHORT = NORMALISED_LIMIT // EXPANSION  # characters that are certain not to expand too much
LIGATURE = "\ufdfa"  # 18 characters in its compatibility form
texts = st.text(max_size=20) | st.text(st.sampled_from("a \0\u200b\u3164\u0301&<"), max_size=6)
values = texts | st.none() | st.integers() | st.lists(texts, max_size=2)
names = st.sampled_from(["designation", "description", "title"])


def read_by_model(entry: Any) -> Texts | list[dict[str, Any]]:
    try:
        listing = Listing.model_validate(entry)
    except ValidationError as error:
        return field_errors(error.errors())
    return listing.designation, listing.description


@given(st.dictionaries(names, values, max_size=3) | st.fixed_dictionaries({"designation": texts}) | values)
@example({"designation": "x" * CONTRACT.title_limit})
@example({"designation": "x" * (CONTRACT.title_limit + 1)})
@example({"designation": "x", "description": "y" * CONTRACT.description_limit})
@example({"designation": "x", "description": "y" * (CONTRACT.description_limit + 1)})
@example({"designation": "x", "description": LIGATURE * (SHORT - 1)})
@example({"designation": "x", "description": LIGATURE * SHORT})
@example({"designation": "x", "description": "&#xFDFA;" * (SHORT + 1)})
@example({"designation": "x", "description": "\u00bc" * 9_999})
@example({"designation": "x", "description": "\u00bc" * 10_000})
@example({"designation": "\u0153", "description": "&#xFDFA" * 2_857})
@settings(max_examples=400, deadline=None, derandomize=True)
def test_an_entry_is_read_as_the_model_reads_it(entry: Any) -> None:
    assert read_texts(entry) == read_by_model(entry)


def test_an_entry_with_many_fields_gets_one_error() -> None:
    (error,) = read_texts({f"field {number}": "x" for number in range(21)})
    assert error == {"field": "", "message": "the listing has more than 20 fields"}


@pytest.mark.parametrize("entry", [{"designation": "Pot"}, {"designation": "Pot é", "description": None}])
def test_a_plain_listing_needs_no_model(monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]) -> None:
    monkeypatch.setattr("bento.batch_listings.Listing", None)
    assert read_texts(entry) == (entry["designation"], None)


def test_a_batch_comes_in_pieces_of_bounded_number_and_size_and_in_its_order() -> None:
    short = [{"designation": f"Piscine {number}"} for number in range(100)]
    long = {"designation": "Piscine", "description": "avec pompe " * 1_800}
    wrong = {"designation": "", "description": "\u20ac" * 4_000}
    entries = [*short[:40], long, *short[40:50], *[wrong] * 3, *short[50:]]
    pieces = list(in_pieces(entries))
    assert [read for piece in pieces for read in piece] == [read_texts(entry) for entry in entries]
    assert [len(piece) for piece in pieces] == [32, 8, 1, 11, 1, 32, 19]
    assert list(in_pieces([])) == []
