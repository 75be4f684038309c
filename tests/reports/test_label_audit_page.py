"""The page of an audit of labels."""

import pandas as pd

from catalog.audit_rules import AuditRules
from catalog.label_audit import COLUMNS
from reports.label_audit_page import label_audit_page
from tests.reports.reading import Page
from tests.reports.values import TAXONOMY

RULES = AuditRules(in_training="correct")
GIVEN, PROPOSED = list(TAXONOMY.labels)[:2]
SUSPECTS = pd.DataFrame(
    [
        ("k1", "<i>Piscine</i> ronde", GIVEN, PROPOSED, 0.01, 0.98, True),
        ("k2", "Bassin", GIVEN, PROPOSED, 0.2, 0.7, False),
    ],
    columns=COLUMNS,
)


def test_the_page_shows_the_suspects_and_between_which_types() -> None:
    content = label_audit_page(SUSPECTS, 12_345, TAXONOMY, RULES)
    page, given, proposed = Page(content), TAXONOMY.label_of(GIVEN), TAXONOMY.label_of(PROPOSED)
    page.assert_it_loads_nothing()
    assert "Labels in doubt 2 of 12,345 listings that were audited Sure ones 1 where" in page.text
    assert "The model was trained with the proposed type of the sure ones." in page.text
    assert f"given proposed listings sure {given} {proposed} 2 1" in page.text
    assert f"<i>Piscine</i> ronde {given} {proposed} 0.010 0.980" in page.text
    assert "i" not in page.tags


def test_without_suspects_the_page_says_so() -> None:
    page = Page(label_audit_page(pd.DataFrame([], columns=COLUMNS), 300, TAXONOMY, RULES))
    assert page.text.endswith("No label is in doubt.")
