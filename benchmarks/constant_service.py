"""The prediction service with a constant answer: gate, token, validation and ledger are there, the model is not.

It shows how fast the service could be if classifying a listing took no time.
"""

from collections.abc import Generator, Sequence
from unittest.mock import patch

from bento.service import ProductTypes
from catalog.language import LANGUAGES
from catalog.predictor import Classification, Predictor, Texts

__all__ = ["ProductTypes"]


class ConstantPredictor(Predictor):
    """Gives every listing the same types, and does not look at it."""

    def predict_in_pieces(self, listings: Sequence[Texts], k: int) -> Generator[bool, None, list[Classification]]:
        """Return the first types of the model for each listing, in one piece."""
        yield False
        return [self.predict_top_k(*listing, k) for listing in listings]

    def predict_top_k(self, title: str, description: str | None = None, k: int = 3) -> Classification:
        """Return the first types of the model."""
        top = [(code, label, 0.5) for code, label in self._types[:k]]
        return Classification(*top[0], False, False, top)


patch("catalog.predictor.Predictor", ConstantPredictor).start()
patch("catalog.language.detect_language", lambda _text: LANGUAGES[0]).start()
