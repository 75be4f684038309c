"""Drift of live traffic against the reference window: column by column, and of the texts as a whole.

With ten thousand rows the smallest difference is significant, and with three hundred a large one can be chance. So a
column drifts if its distance from the reference is both larger than a threshold (what matters) and larger than the
distance of as many rows drawn from the reference itself (the noise).
"""

import pandas as pd

from catalog.splits import text_keys
from catalog.taxonomy import Taxonomy
from catalog.verdict import Verdict, worst
from checks.column_drift import measure_columns
from checks.drift import Drift, DriftRules
from checks.text_drift import measure_text


def measure_drift(
    current: pd.DataFrame, reference: pd.DataFrame, taxonomy: Taxonomy, rules: DriftRules, seed: int
) -> tuple[Drift, str]:
    """Return the drift, and Evidently's page if something drifted (else an empty string: the page takes 4 MB).

    Both tables have designation, description, language, predicted_code and confidence. The reference has each text
    once. So repeated texts are removed from the traffic first: otherwise every column drifts when one listing is asked
    for again and again.
    """
    distinct = current[~pd.Series(text_keys(current), index=current.index, dtype=object).duplicated()]
    drift = Drift(
        verdict="insufficient_data",
        reason="",
        rows=len(current),
        distinct_rows=len(distinct),
        reference_rows=len(reference),
    )
    smaller = min(len(distinct), len(reference))
    if smaller < rules.minimum_rows:
        which = "in the window" if smaller == len(distinct) else "in the reference"
        wanted = f"{smaller:,} different texts {which}, and {rules.minimum_rows:,} are needed"
        return drift.model_copy(update={"reason": wanted}), ""
    columns, page = measure_columns(distinct, reference, taxonomy, rules, seed)
    text = measure_text(distinct, reference, rules, seed)
    drifted = [column.column for column in columns if column.drifted]
    verdict = worst(_columns_verdict(len(drifted), rules), text.verdict)
    columns_reason = f"{', '.join(drifted)} drifted" if drifted else "no column drifted"
    auc = f"an AUC of {text.auc:.2f} ({text.verdict})"
    reason = f"{columns_reason}; a classifier tells current texts from the reference with {auc}"
    measured = drift.model_copy(update={"verdict": verdict, "reason": reason, "columns": tuple(columns), "text": text})
    return measured, page if verdict != "ok" else ""


def _columns_verdict(drifted: int, rules: DriftRules) -> Verdict:
    return "drift" if drifted >= rules.drifted_columns else "warning" if drifted else "ok"
