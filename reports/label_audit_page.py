"""The page of an audit of labels: how many are in doubt, between which types, and the most suspicious listings."""

import pandas as pd

from catalog.audit_rules import AuditRules
from catalog.taxonomy import Taxonomy
from reports.rendering import render

_PAIRS = 15
_SUSPECTS = 100
_CHARACTERS = 120  # of a title
_SHOWN = ("designation", "given_code", "proposed_code", "given_confidence", "proposed_confidence")
WHAT_HAPPENED = {
    "drop": "The model was trained without the sure ones.",
    "correct": "The model was trained with the proposed type of the sure ones.",
}


def label_audit_page(suspects: pd.DataFrame, audited: int, taxonomy: Taxonomy, rules: AuditRules) -> str:
    """Return one HTML page about the suspects (see `catalog.label_audit`) among so many listings."""
    pairs = suspects.groupby(["given_code", "proposed_code"])["sure"].agg(["size", "sum"]).reset_index()
    pairs = pairs.sort_values(["size", "sum"], ascending=False, kind="stable").head(_PAIRS)
    label, first = taxonomy.label_of, suspects.head(_SUSPECTS)
    return render(
        "label_audit_page.html.j2",
        audited=audited,
        suspects=len(suspects),
        sure=int(suspects["sure"].sum()),
        rules=rules,
        what_happened=WHAT_HAPPENED.get(rules.in_training, ""),
        pairs=[
            (label(given), label(proposed), int(count), int(sure))
            for given, proposed, count, sure in pairs.itertuples(index=False, name=None)
        ],
        first=[
            (str(title)[:_CHARACTERS], label(int(given)), label(int(proposed)), float(in_given), float(in_proposed))
            for title, given, proposed, in_given, in_proposed in zip(*(first[name] for name in _SHOWN), strict=True)
        ],
    )
