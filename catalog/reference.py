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
    """Return the rows that are not trained on (`COLUMNS`) with `predicted_code` and `confidence` of the classifier.

    They include near duplicates of train rows, which are not scored: live traffic has some too. Train rows are left
    out: the model is more confident on rows that it has learned from than it will be on live ones.
    """
    held_out = listings.loc[listings["split"] != "train", COLUMNS].reset_index(drop=True)
    probabilities = classifier.predict_proba(held_out)
    return held_out.assign(
        predicted_code=classifier.classes_[probabilities.argmax(axis=1)], confidence=probabilities.max(axis=1)
    )
