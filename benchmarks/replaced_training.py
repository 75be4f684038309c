"""A stand-in for the training that the pipeline replaces, written for this comparison.

    python -m benchmarks.replaced_training FOLDER

It does what hand-wired training scripts of that kind do, in the way of their tutorials: one script after the other,
with a pickle between two of them. The tables are joined; each row is cleaned with `DataFrame.apply` (mark-up, NLTK's
tokeniser, stop words, stems); TF-IDF of 5,000 terms; a linear model; scores on the test rows. It checks no data,
compares with no champion, tracks and packages nothing.

Where there was a choice, the stand-in has the faster variant: all scripts in one process, compiled patterns, a
tokeniser of one regular expression, no start of a scheduler. NLTK's lemmatiser needs data from the network, so the
stemmer for French takes its place.
"""

import argparse
import pickle
import sys
from pathlib import Path
from typing import Any

from benchmarks.replaced_service import TERMS, preprocess

X, Y = "X_train.csv", "Y_train.csv"


def main(arguments: list[str]) -> int:
    """Train on the tables of a folder, and leave the pickles there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replaced_training", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help=f"with {X} and {Y} of the challenge; the pickles are written there")
    folder: Path = parser.parse_args(arguments).folder
    _join(folder)
    _clean(folder)
    _split(folder)
    _vectorise(folder)
    _fit(folder)
    sys.stdout.write(f"weighted F1 {_evaluate(folder):.3f}\n")
    return 0


def _join(folder: Path) -> None:
    import pandas as pd

    listings = pd.read_csv(folder / X, index_col=0).join(pd.read_csv(folder / Y, index_col=0))
    _write(folder / "listings.pkl", listings)


def _clean(folder: Path) -> None:
    listings = _read(folder / "listings.pkl")
    listings["description"] = listings["description"].fillna("")
    listings["text"] = listings.apply(lambda row: preprocess(row["designation"], row["description"]), axis=1)
    _write(folder / "cleaned.pkl", listings)


def _split(folder: Path) -> None:
    from sklearn.model_selection import train_test_split

    listings = _read(folder / "cleaned.pkl")
    parts = train_test_split(listings["text"], listings["prdtypecode"], test_size=0.2, random_state=0)
    _write(folder / "parts.pkl", parts)


def _vectorise(folder: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    train_texts, test_texts, train_codes, test_codes = _read(folder / "parts.pkl")
    vectoriser = TfidfVectorizer(max_features=TERMS)
    train = vectoriser.fit_transform(train_texts)
    _write(folder / "vectoriser.pkl", vectoriser)
    _write(folder / "matrices.pkl", (train, vectoriser.transform(test_texts), train_codes, test_codes))


def _fit(folder: Path) -> None:
    from sklearn.linear_model import SGDClassifier

    train, _, codes, _ = _read(folder / "matrices.pkl")
    _write(
        folder / "model.pkl", SGDClassifier(loss="log_loss", class_weight="balanced", random_state=0).fit(train, codes)
    )


def _evaluate(folder: Path) -> float:
    from sklearn.metrics import f1_score

    _, test, _, codes = _read(folder / "matrices.pkl")
    score: float = f1_score(codes, _read(folder / "model.pkl").predict(test), average="weighted")
    return score


def _write(path: Path, value: Any) -> None:
    with path.open("wb") as file:
        pickle.dump(value, file)


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)  # written by this process, in a folder of the benchmark


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
