"""What the model answers, and how well, as far as is known."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from monitoring.grafana.panels import GREEN, GREY, ORANGE, RED, About, Query, bars, graph, heat, interval, page, states


def board() -> Dashboard:
    """Return the dashboard."""
    versions = "{{model_name}} {{model_version}}"
    answers = [
        graph(
            About("Predictions by type", "Predictions a second by predicted type.", units.CountsPerSecond),
            Query("sum by (product_type) (rate(predictions_total[2m]))", "{{product_type}}"),
            stacked=True,
        ),
        graph(
            About(
                "Predictions by language",
                "By the language of the listing; und: none was recognised.",
                units.CountsPerSecond,
            ),
            Query("sum by (language) (rate(predictions_total[2m]))", "{{language}}"),
            stacked=True,
        ),
        heat(
            About("Confidence", "How sure the answers were, over time.", units.PercentUnit),
            Query("sum by (le) (increase(prediction_confidence_ratio_bucket[2m]))", "{{le}}"),
            value_unit=units.Short,
        ),
        graph(
            About("Abstained", "Share of answers below the threshold of confidence.", units.PercentUnit),
            Query("sum(rate(predictions_abstained_total[2m])) / (sum(rate(predictions_total[2m])) > 0)", "abstained"),
        ),
        graph(
            About(
                "Feedback",
                "Words on answers in five minutes; corrected: another type is right. Reviewers and admins decide.",
                units.Short,
            ),
            Query("sum by (role, outcome) (increase(feedback_total[5m]))", "{{role}} {{outcome}}"),
            width=24,
        ),
    ]
    drift = [
        states(
            About("Verdict", "Of each monitoring report, by version.", units.NoUnit),
            Query("model:monitoring_verdict:code", versions),
            names={0: ("insufficient data", GREY), 1: ("ok", GREEN), 2: ("warning", ORANGE), 3: ("drift", RED)},
            width=24,
        ),
        bars(
            About(
                "Drift by column",
                "Distance from the reference in the last report; the report has the thresholds.",
                units.NoUnit,
            ),
            Query("max by (column) (monitoring_drift_score)", "{{column}}"),
        ),
        graph(
            About("Drift by column, over time", "The same distances, report by report.", units.NoUnit),
            Query("monitoring_drift_score", "{{column}} ({{model_version}})"),
        ),
        graph(
            About("Columns that drifted", "Three of ten make the verdict drift; fewer, a warning.", units.Short),
            Query("monitoring_drifted_columns", versions),
        ),
        graph(
            About(
                "Text drift",
                "AUC of a classifier that tells current texts from the reference; 50 %: it cannot.",
                units.PercentUnit,
            ),
            Query("monitoring_text_drift_auc_ratio", versions),
        ),
    ]
    quality = [
        interval(
            About(
                "Agreement of reviewers",
                "Share of reviewed answers that were right, its 95 % interval, and what is expected.",
                units.PercentUnit,
            ),
            Query("monitoring_quality_agreement_lower_ratio", "lower"),
            Query("monitoring_quality_agreement_ratio", "agreement"),
            Query("monitoring_quality_agreement_upper_ratio", "upper"),
            Query("monitoring_quality_expected_agreement_ratio", "expected"),
        ),
        graph(
            About(
                "Weighted F1",
                "On reviewed answers, and of held-out listings of the same confidences.",
                units.PercentUnit,
            ),
            Query("monitoring_quality_weighted_f1_ratio", "reviewed ({{model_version}})"),
            Query("monitoring_quality_expected_f1_ratio", "expected ({{model_version}})"),
        ),
        bars(
            About("Precision by type", "Of types with enough reviewed answers.", units.PercentUnit),
            Query("sort(max by (product_type) (monitoring_quality_precision_ratio))", "{{product_type}}"),
            maximum=1,
        ),
        graph(
            About(
                "Rows", "Predictions and reviewed ones in the current window, listings in the reference.", units.Short
            ),
            Query("monitoring_current_rows", "current ({{model_version}})"),
            Query("monitoring_reference_rows", "reference ({{model_version}})"),
            Query("monitoring_feedback_rows", "reviewed ({{model_version}})"),
        ),
    ]
    return page(
        "product-types-model",
        "Model and drift",
        "What is answered, how it moves away from what the model was trained on, and how right it is.",
        {"Answers": answers, "Drift": drift, "Quality": quality},
    )
