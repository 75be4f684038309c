"""The reference window: held-out listings with the model's answers, which live traffic is compared with later."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from catalog.classifier import ProductTypeClassifier

COLUMNS = [
    "text_key", "designation", "description", "language", "origin", "prediction_id", "given_at", "sampled", "split",
    "prdtypecode",
]  # fmt: skip


def build_reference_window(listings: pd.DataFrame, classifier: "ProductTypeClassifier") -> pd.DataFrame:
    """Return the rows that are not trained on (`COLUMNS`), with what the classifier answers to them.

    That is `predicted_code`, `confidence` and `top_score`: the highest of the raw scores of the types.

    They include near duplicates of train rows, which are not scored: live traffic has some too. Train rows are left
    out: the model is more confident on rows that it has learned from than it will be on live ones.
    """
    held_out = listings.loc[listings["split"] != "train", COLUMNS].reset_index(drop=True)
    scores = classifier.decision_function(held_out)
    probabilities = classifier.confidences(scores)
    return held_out.assign(
        predicted_code=classifier.classes_[probabilities.argmax(axis=1)],
        confidence=probabilities.max(axis=1),
        top_score=scores.max(axis=1),
    )
