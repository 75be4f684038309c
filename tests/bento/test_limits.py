"""What a caller may ask for at once, and that others are answered meanwhile."""

import asyncio
import json
import random
import string
import sys
import unicodedata
from collections.abc import Callable, Sequence
from html.entities import html5
from typing import Any

import anyio
import httpx
import pytest

from bento.answerer import PIECE
from bento.settings import Settings
from catalog.listing_size import EXPANSION, WESTERN_EXPANSION
from catalog.predictor import Predictor
from catalog.text import normalise
from catalog.vocabulary import Vocabulary
from ledger.tables import PredictionRow
from tests.bento.conftest import Service
from tests.bento.test_predictions import rows

Start = Callable[[Settings], Service]


def new_words(characters: int, seed: int = 0) -> str:
    """Return a text of words that the vocabulary has never seen, which take longest."""
    chosen = random.Random(seed)
    letters = "".join(chosen.choices(string.ascii_lowercase, k=characters))
    return " ".join(letters[start : start + 6] for start in range(0, characters, 7)).ljust(characters)[:characters]


def ask(service: Service, path: str, body: Any, **more: Any) -> httpx.Response:
    return service.client.post(path, headers=service.as_("ulf"), json=body, **more)


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/predict", {str(number): 1 for number in range(20_000)}, "the body has more than 100 values"),
        ("/predict", {"designation": "x"} | {str(number): 1 for number in range(40)}, "Extra inputs are not permitted"),
        ("/predict/batch", {str(number): 1 for number in range(60_000)}, "the body has more than 50,000 values"),
        ("/predict/batch", {"listings": [[] for _ in range(60_000)]}, "the body has more than 50,000 values"),
        ("/feedback", {str(number): 1 for number in range(5_000)}, "the body has more than 100 values"),
    ],
)
def test_any_number_of_unknown_fields_is_answered_in_a_few_lines(
    service: Service, path: str, body: Any, message: str
) -> None:
    answer = ask(service, path, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"] == message
    assert len(answer.content) < 5_000


def test_a_listing_of_many_unknown_fields_in_a_batch_is_answered_in_a_line(service: Service) -> None:
    many = {f"{'x' * 1_000}{number}": 1 for number in range(1_000)}
    answer = ask(service, "/predict/batch", {"listings": [many, {"designation": "Piscine"}, {"y" * 9_000: 1}]})
    first, second, third = answer.json()["results"]
    assert first["errors"] == [{"field": "", "message": "the listing has more than 20 fields"}]
    assert second["prediction"]["predicted_code"]
    assert {error["field"][:4] for error in third["errors"]} == {"desi", "yyyy"}
    assert len(answer.content) < 2_000


TOO_LONG: list[tuple[str, Any, dict[str, str]]] = [
    ("/predict", {"designation": "x", "description": "\ufdfa" * 2_000}, {}),
    ("/predict", {"designation": "x", "description": "&#xFDFA;" * 2_000}, {}),
    ("/predict", {"designation": "\u3316" * 9_000}, {}),
    ("/predict", {"designation": "x", "description": "y" * 20_001}, {}),
    ("/predict", {"designation": "x", "description": "y" * 10_000}, {"explain": "true"}),
    ("/predict", {"designation": "\ufdfa" * 600}, {"explain": "true"}),
    ("/predict/batch", {"listings": [{"designation": "x", "description": "y" * 19_999}] * 51}, {}),
    ("/predict/batch", {"listings": [{"designation": "x", "more": "y" * 1_000_000}]}, {}),
]


@pytest.mark.parametrize(("path", "body", "options"), TOO_LONG)
def test_a_text_that_takes_too_long_is_refused(service: Service, path: str, body: Any, options: dict[str, str]) -> None:
    answer = ask(service, path, body, params=options)
    assert answer.status_code == 422
    assert "characters" in answer.json()["errors"][0]["message"]
    assert rows(service, PredictionRow) == 0


def test_the_longest_texts_are_answered_and_explained(service: Service) -> None:
    for body, options in (
        ({"designation": new_words(10_000), "description": new_words(20_000, 1)}, {}),
        ({"designation": "\ufdfa" * 1_600}, {}),
        ({"designation": new_words(5_000), "description": new_words(5_000, 1)}, {"explain": "true"}),
    ):
        answer = ask(service, "/predict", body, params=options)
        assert answer.status_code == 200, answer.text


def test_no_character_expands_more_than_the_limit_expects() -> None:
    texts = (chr(number) for number in range(sys.maxunicode) if not 0xD800 <= number < 0xE000)
    expanding = [text for text in texts if len(unicodedata.normalize("NFKD", text.casefold())) > 3]
    assert max(len(normalise(text)) for text in expanding) == EXPANSION


def test_no_character_of_windows_1252_and_no_entity_expands_more_than_the_limit_for_western_texts() -> None:
    western = bytes(range(256)).decode("cp1252", errors="ignore")
    numbers = [number for number in range(sys.maxunicode) if not 0xD800 <= number < 0xE000]
    expanding = [n for n in numbers if len(unicodedata.normalize("NFKD", chr(n).casefold())) > 3]
    entities = [form for n in expanding for form in (f"&#{n}", f"&#x{n:x}")] + [f"&{name}" for name in html5]
    for text in [*western, *entities]:
        assert len(normalise(text)) <= WESTERN_EXPANSION * len(text)


def together(service: Service, requests: Sequence[tuple[str, Any]]) -> list[tuple[str, int]]:
    """Send requests at the same time. Return paths and statuses in the order of the answers."""
    answered: list[tuple[str, int]] = []

    async def run() -> None:
        transport = httpx.ASGITransport(service.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as client:

            async def one(path: str, body: Any) -> None:
                answer = await client.post(path, headers=service.as_("ulf"), content=json.dumps(body))
                answered.append((path, answer.status_code))

            async with anyio.create_task_group() as group:
                for path, body in requests:
                    group.start_soon(one, path, body)
                    await anyio.sleep(0.01)  # in this order

    anyio.run(run)
    return answered


LONG = {"designation": "x", "description": new_words(19_000)}


def test_others_are_answered_while_a_batch_is_classified(service: Service) -> None:
    batch = "/predict/batch", {"listings": [LONG | {"designation": str(number)} for number in range(20)]}
    answered = together(service, [batch, *[("/predict", {"designation": "Piscine gonflable"})] * 5])
    assert answered[0] == ("/predict", 200)
    assert sorted(answered) == [("/predict", 200)] * 5 + [("/predict/batch", 200)]


@pytest.mark.parametrize(
    ("listings", "fewest_pieces"),
    [([{"designation": "Piscine gonflable"}] * 1_000, 1_000 / 32),
     ([{"designation": "", "more": number} for number in range(1_000)], 1_000 / 32),
     ([{"designation": new_words(900, seed)} for seed in range(80)], 80 * 900 / 16_000)],
    ids=["short", "refused", "long"],
)  # fmt: skip
def test_the_event_loop_turns_on_between_two_pieces_of_a_batch(
    service: Service, listings: list[Any], fewest_pieces: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = 0
    turns_of_pieces: list[int] = []
    predict_in_pieces = Predictor.predict_in_pieces

    def noted(self: Predictor, listings: Sequence[Any], k: int) -> Any:
        turns_of_pieces.append(turn)
        return predict_in_pieces(self, listings, k)

    async def run() -> None:
        nonlocal turn
        transport = httpx.ASGITransport(service.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as client:
            request = asyncio.create_task(
                client.post("/predict/batch", headers=service.as_("ulf"), json={"listings": listings})
            )
            while not request.done():
                turn += 1
                await asyncio.sleep(0)
        assert request.result().status_code == 200

    monkeypatch.setattr(Predictor, "predict_in_pieces", noted)
    asyncio.run(run())
    assert len(turns_of_pieces) >= fewest_pieces
    assert len(set(turns_of_pieces)) == len(turns_of_pieces)


def test_a_batch_that_takes_too_long_is_ended_between_two_pieces(start: Start, settings: Settings) -> None:
    service = start(settings.model_copy(update={"request_timeout_seconds": 0.1}))
    answer = ask(service, "/predict/batch", {"listings": [{"designation": new_words(900, n)} for n in range(1_000)]})
    assert (answer.status_code, answer.json()["detail"]) == (504, "not answered within 0.1 s")
    assert rows(service, PredictionRow) == 0


def test_a_long_listing_gets_the_models_answer_and_its_words_are_looked_up_in_pieces(
    service: Service, predictor: Predictor, model_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    look_up = Vocabulary._look_up

    def counted(self: Vocabulary, words: Sequence[str]) -> Any:
        sizes.append(sum(map(len, words)))
        return look_up(self, words)

    title, description = new_words(4_000, 8), new_words(16_000, 9)
    expected = Predictor(model_folder).predict_top_k(title, description)
    monkeypatch.setattr(Vocabulary, "_look_up", counted)
    answer = ask(service, "/predict", {"designation": title, "description": description}).json()
    assert (answer["predicted_code"], answer["confidence"]) == (expected.code, expected.confidence)
    assert sum(sizes) > 15_000
    assert max(sizes) <= PIECE
