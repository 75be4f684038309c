"""The verdict of a monitoring run, and the sentences that explain it."""

import pytest

from catalog.agreement import DisagreeingUser, Quality
from catalog.verdict import Verdict
from checks.drift import Drift
from checks.monitoring_report import decide_verdict


def drift(verdict: Verdict) -> Drift:
    return Drift(verdict=verdict, reason="the drift", rows=0, distinct_rows=0, reference_rows=400)


@pytest.mark.parametrize(
    ("of_drift", "of_quality", "expected"),
    [
        ("ok", "ok", "ok"), ("ok", "insufficient_data", "ok"), ("insufficient_data", "ok", "insufficient_data"),
        ("warning", "ok", "warning"), ("warning", "drift", "drift"), ("drift", "ok", "drift"),
        ("ok", "warning", "warning"), ("insufficient_data", "drift", "drift"),
    ],
)  # fmt: skip
def test_the_more_severe_verdict_counts_and_bad_quality_counts_without_traffic(
    of_drift: Verdict, of_quality: Verdict, expected: Verdict
) -> None:
    verdict, _ = decide_verdict(drift(of_drift), Quality(verdict=of_quality, reason="the quality", rows=0))
    assert verdict == expected


def test_a_user_who_mostly_disagrees_is_named() -> None:
    user = DisagreeingUser(user_id="mallory", role="user", rows=1_000, disagreement=0.97, trusted=False)
    quality = Quality(verdict="ok", reason="the quality", rows=0, disagreeing_users=(user,))
    _, reasons = decide_verdict(drift("ok"), quality)
    assert reasons == [
        "Drift: the drift.",
        "Quality: the quality.",
        "User mallory (user) gave feedback 1,000 times and disagreed with 97% of the answers. "
        "This feedback does not decide.",
    ]
