"""Wrong labels: how many of them the audit finds, what a model gains without them, and what the audit costs.

The embedded listings are generated with a known share of wrong labels, mostly of types that are easily confused.
Precision is the share of suspects whose label is wrong, recall the share of wrong labels that are suspects. F1 is that
of the first candidate of the configuration on the test rows, by their true types.

python -m benchmarks.label_noise
"""

import argparse
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from catalog.audit_rules import AuditRules
from catalog.candidates import fit_candidates
from catalog.consolidation import ConsolidationRules, consolidate
from catalog.label_audit import audit_labels, without_errors
from catalog.scores import Codes, weighted_f1
from catalog.split_key import text_key
from catalog.synthetic import write_listings
from catalog.taxonomy import RAKUTEN
from ledger.feedback import COLUMNS
from pipelines.config import DEFAULT, TrainingConfig


def listings_with_errors(size: int, share: float) -> tuple[pd.DataFrame, "pd.Series[int]"]:
    """Return the clean table of listings of which this share has a wrong code, and text key -> true code."""
    written, codes = write_listings(size, 0, share)
    raw = pd.DataFrame(written)[["title", "description"]].rename(columns={"title": "designation"})
    raw = raw.assign(index=range(size), prdtypecode=codes)
    clean = consolidate(raw, pd.DataFrame(columns=COLUMNS), RAKUTEN.labels, ConsolidationRules()).listings
    keys = [text_key(listing.title, listing.description) for listing in written]
    true = pd.Series([listing.code for listing in written], index=keys)
    return clean, true[~true.index.duplicated()]


def measure(size: int, share: float, *, train: bool) -> dict[str, object]:
    """Return what the audit finds on such listings, and with `train` the F1 of a model without them."""
    listings, true = listings_with_errors(size, share)
    wrong = set(listings["text_key"][listings["prdtypecode"] != listings["text_key"].map(true)])
    started = perf_counter()
    suspects = audit_labels(listings, AuditRules(), seed=0)
    row: dict[str, object] = {"wrong": f"{len(wrong) / len(listings):.1%}", "seconds": perf_counter() - started}
    for name, found in (("suspects", suspects), ("sure", suspects[suspects["sure"]])):
        hits = found[found["text_key"].isin(wrong)]
        row |= {name: len(found), f"{name} precision": len(hits) / len(found), f"{name} recall": len(hits) / len(wrong)}
        row[f"{name} proposal right"] = float((hits["proposed_code"] == hits["text_key"].map(true)).mean())
    for in_training in ("off", "drop", "correct") if train else ():
        rules = AuditRules.model_validate({"in_training": in_training})
        rows = without_errors(listings, audit_labels(listings, rules, seed=0), rules) if rules.cleans else listings
        row[f"F1, {in_training}"] = _f1(rows, listings, true)
    return row


def _f1(rows: pd.DataFrame, listings: pd.DataFrame, true: "pd.Series[int]") -> float:
    name, candidate = next(iter(TrainingConfig.read(DEFAULT).candidates.items()))
    classifier = fit_candidates(rows, {name: candidate}, seed=0).classifier
    test = listings[listings["split"] == "test"]
    codes: Codes = np.array([true[key] for key in test["text_key"]], dtype=np.int64)
    return weighted_f1(codes, classifier.predict(test))


def main() -> None:
    """Measure each share and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_noise", description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=20_000, metavar="N", help="listings (20,000)")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.03, 0.10], help="of wrong labels (0.03 0.10)")
    parser.add_argument("--no-training", action="store_true", help="leave out the F1 of models, which takes most time")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the table")
    options = parser.parse_args()
    table = pd.DataFrame([measure(options.size, share, train=not options.no_training) for share in options.shares])
    sys.stdout.write(table.T.to_string(header=False, float_format="{:.3f}".format) + "\n")
    if options.csv:
        table.to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
