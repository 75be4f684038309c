"""Which rows are sent, and in which pieces."""

import json

import pandas as pd
import pytest

from bento.schemas import BATCH_CHARACTERS, BATCH_LIMIT, EXPLAINED_CHARACTERS, Listing
from bento.settings import Settings
from catalog.contract import CONTRACT
from ui.listings.checking import check
from ui.listings.pieces import cut
from ui.services import prediction


def test_the_limits_are_those_of_the_service() -> None:
    assert (prediction.BATCH_LISTINGS, prediction.BATCH_CHARACTERS) == (BATCH_LIMIT, BATCH_CHARACTERS)
    assert CONTRACT.title_limit == prediction.TITLE_CHARACTERS
    assert CONTRACT.description_limit == prediction.DESCRIPTION_CHARACTERS
    assert prediction.EXPLAINED_CHARACTERS == EXPLAINED_CHARACTERS


def test_rows_that_cannot_be_classified_are_named_with_their_reason() -> None:
    titles = pd.Series(["good", " ", "a\0b", "x" * 10_001, "y"], index=[2, 3, 4, 5, 6])
    descriptions = pd.Series(["", "", "", "", "z" * 20_001], index=titles.index)
    checked = check(titles, descriptions)
    assert checked.rows == [2]
    assert checked.problems == {3: "blank_title", 4: "nul", 5: "long_title", 6: "long_description"}
    Listing.model_validate(checked.listings[0])


@pytest.mark.parametrize("text", ["short", "é" * 9_000, "\U0001f600" * 9_000, '"' * 9_000])
def test_a_piece_is_within_the_limits_of_the_service(text: str) -> None:
    pieces = list(cut([{"designation": text, "description": text}] * 2_500))
    assert sum(len(piece.listings) for piece in pieces) == 2_500
    assert [piece.start for piece in pieces[1:]] == [piece.start + len(piece.listings) for piece in pieces[:-1]]
    largest = max(pieces, key=lambda piece: len(piece.listings))
    assert len(largest.listings) <= BATCH_LIMIT
    assert len(largest.listings) * 2 * len(text) <= BATCH_CHARACTERS
    body = json.dumps({"listings": list(largest.listings)}, ensure_ascii=False).encode()
    assert len(body) <= Settings.model_fields["max_body_bytes"].default


def test_every_piece_has_a_key_of_its_own() -> None:
    pieces = list(cut([{"designation": "a"}] * 3_000))
    assert len({piece.key for piece in pieces}) == len(pieces) == 3
