"""Made-up results. Texts that come from outside hold what breaks a page that does not escape it."""

from datetime import UTC, datetime

import numpy as np

from catalog.abstention import Abstention
from catalog.agreement import DisagreeingUser, Quality, TypePrecision
from catalog.evaluation import Evaluation, evaluate
from catalog.profile import Conflicts, FeedbackCounts, Profile
from catalog.taxonomy import EMBEDDED, Taxonomy
from checks.drift import ColumnDrift, Drift, TextDrift
from checks.monitoring_report import MonitoringReport, ReportedWindow

TAXONOMY = Taxonomy(name="rakuten", labels={1: "Pools <b>&", 2: "Sofas | beds", 3: "Puzzles"})


def an_evaluation(threshold: float | None = 0.8) -> Evaluation:
    """Four hundred listings, of which about four in five are right."""
    generator = np.random.default_rng(0)
    true = generator.integers(1, 4, 400)
    predicted = np.where(generator.random(400) < 0.8, true, true % 3 + 1)
    confidence, french = generator.random(400), generator.random(400) < 0.8
    by_share = None if threshold is None else threshold / 2
    abstention = Abstention(
        target_precision=0.9, threshold=threshold, threshold_by_share=by_share, usual_score=0.02, on_novelty=False
    )
    slices = {"language <fr>": french, "language de": ~french}
    return evaluate(true, predicted, confidence, generator.random(400), slices, TAXONOMY, abstention, seed=0)


def an_evaluation_of_27_types() -> Evaluation:
    """1,700 listings of the embedded taxonomy, of which some pairs of types are confused."""
    generator = np.random.default_rng(1)
    codes = np.array(list(EMBEDDED.labels))
    places = generator.choice(len(codes), 1_700, p=generator.dirichlet(np.full(len(codes), 3.0)))
    confidence = generator.beta(5, 1.5, len(places))
    other = np.where(generator.random(len(places)) < 0.6, 1, generator.integers(1, len(codes), len(places)))
    wrong = generator.random(len(places)) > confidence
    predicted = codes[(places + wrong * other) % len(codes)]
    french = generator.random(len(places)) < 0.7
    abstention = Abstention(
        target_precision=0.95, threshold=0.82, threshold_by_share=0.7, usual_score=0.02, on_novelty=False
    )
    slices = {"language fr": french, "language de": ~french}
    return evaluate(
        codes[places], predicted, confidence, generator.random(len(places)), slices, EMBEDDED, abstention, seed=0
    )


def a_profile() -> Profile:
    """Four thousand listings in two languages."""
    return Profile(
        rows_read=4_100,
        rows=4_000,
        splits={"train": 3_200, "validation": 400, "test": 400},
        empty_titles_dropped=0,
        titles_cut=0,
        duplicates_removed=100,
        conflicts=Conflicts(count=0, examples=()),
        feedback=FeedbackCounts(
            given=0, unknown_code=0, trusted=0, user=0, labels_replaced=0, user_held_out=0, user_labelled_better=0,
            user_over_the_cap=0, users_at_the_cap=0,
        ),
        missing_description_share=0.35,
        class_frequencies={1: 0.5, 2: 0.3, 3: 0.2},
        languages={"de": 0.2, "fr": 0.8},
        data_hash="abc",
    )  # fmt: skip


def a_drift() -> Drift:
    """Two columns, of which the categorical one drifted, and texts that differ."""
    return Drift(
        verdict="drift",
        reason="language drifted; a classifier tells current texts from the reference with an AUC of 0.91 (drift)",
        rows=1_500,
        distinct_rows=1_234,
        reference_rows=4_321,
        columns=(
            ColumnDrift(
                column="title_words", method="wasserstein", score=0.1, threshold=0.15, noise=0.05, drifted=False,
                medians=(11.0, 12.5),
            ),
            ColumnDrift(
                column="language", method="jensenshannon", score=0.4, threshold=0.12, noise=0.2, drifted=True,
                shares={"fr": (0.8, 0.7), "<u>de": (0.1, 0.3), "en": (0.1, 0.0)},
            ),
        ),
        text=TextDrift(auc=0.91, noise=0.56, rows=600, verdict="drift", telling=("<em>pool", "tent")),
    )  # fmt: skip


def a_quality() -> Quality:
    """Sixty reviews, and two users who mostly disagree."""
    return Quality(
        verdict="ok",
        reason="by 60 reviews 81.0% (70.0% to 89.0%) of the answers are right",
        rows=60,
        reviewed_share=0.04,
        covered=0.83,
        agreement=0.81,
        lower=0.7,
        upper=0.89,
        expected_agreement=0.82,
        weighted_f1=0.8,
        expected_weighted_f1=0.805,
        reviewed_agreement=0.5,
        per_type=(TypePrecision(code=1, label="Pools <b>&", rows=12, precision=0.75, lower=0.5, upper=0.9),),
        users_rows=1_200,
        users_agreement=0.9,
        disagreeing_users=(
            DisagreeingUser(user_id="<script>eve", role="user", rows=1_100, disagreement=0.7, trusted=False),
            DisagreeingUser(user_id="rob", role="reviewer", rows=55, disagreement=0.65, trusted=True),
        ),
    )


def a_monitoring_report(drift: Drift | None = None, quality: Quality | None = None) -> MonitoringReport:
    """A report of one window of predictions."""
    drift, quality = drift or a_drift(), quality or a_quality()
    return MonitoringReport(
        run="monitoring-1",
        at=datetime(2026, 3, 4, 12, 30, 59, tzinfo=UTC),
        model_name="rakuten<i>",
        model_version="7",
        verdict=drift.verdict,
        reasons=(f"Drift: {drift.reason}.", f"Quality: {quality.reason}.", "<script>eve (user) disagreed."),
        window=ReportedWindow(
            since=datetime(2026, 3, 3, 12, tzinfo=UTC), until=datetime(2026, 3, 4, 12, tzinfo=UTC), maximum_rows=10_000,
            rows=drift.rows, distinct_rows=drift.distinct_rows, reference_rows=drift.reference_rows,
        ),
        drift=drift,
        quality=quality,
    )  # fmt: skip
