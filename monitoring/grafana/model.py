"""The dashboard of the model: its answers, drift and quality."""

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
                "Predictions a second by the language of the listing. und: not recognised.",
                units.CountsPerSecond,
            ),
            Query("sum by (language) (rate(predictions_total[2m]))", "{{language}}"),
            stacked=True,
        ),
        heat(
            About("Confidence", "Distribution of the confidence of the answers over time.", units.PercentUnit),
            Query("sum by (le) (increase(prediction_confidence_ratio_bucket[2m]))", "{{le}}"),
            value_unit=units.Short,
        ),
        graph(
            About(
                "Abstained and novel",
                "Share of answers on which the model abstained, and of listings that look like nothing it has learned "
                "from. Of listings like those of the training, 2 % are novel.",
                units.PercentUnit,
            ),
            Query("sum(rate(predictions_abstained_total[2m])) / (sum(rate(predictions_total[2m])) > 0)", "abstained"),
            Query("sum(rate(predictions_novel_total[2m])) / (sum(rate(predictions_total[2m])) > 0)", "novel"),
        ),
        graph(
            About(
                "Feedback",
                "Feedback in five minutes. Corrected: another type is right. Reviewers and admins are trusted.",
                units.Short,
            ),
            Query("sum by (role, outcome) (increase(feedback_total[5m]))", "{{role}} {{outcome}}"),
            width=24,
        ),
    ]
    drift = [
        states(
            About("Verdict", "Verdict of the monitoring reports over time, by version.", units.NoUnit),
            Query("model:monitoring_verdict:code", versions),
            names={0: ("insufficient data", GREY), 1: ("ok", GREEN), 2: ("warning", ORANGE), 3: ("drift", RED)},
            width=24,
        ),
        bars(
            About(
                "Drift by column",
                "Distance from the reference window in the last report. The report shows the thresholds.",
                units.NoUnit,
            ),
            Query("max by (column) (monitoring_drift_score)", "{{column}}"),
        ),
        graph(
            About("Drift by column, over time", "The same distances over time.", units.NoUnit),
            Query("monitoring_drift_score", "{{column}} ({{model_version}})"),
        ),
        graph(
            About(
                "Columns that drifted",
                "With three drifted columns of ten the verdict is drift, with fewer it is warning.",
                units.Short,
            ),
            Query("monitoring_drifted_columns", versions),
        ),
        graph(
            About(
                "Text drift",
                "AUC of a classifier that separates current texts from reference texts. 50 %: no difference.",
                units.PercentUnit,
            ),
            Query("monitoring_text_drift_auc_ratio", versions),
        ),
    ]
    quality = [
        interval(
            About(
                "Agreement of reviewers",
                "Share of correct answers among the reviewed ones, its 95 % interval, and the expected share.",
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
                "On reviewed answers, and on held-out listings of the same confidence (expected).",
                units.PercentUnit,
            ),
            Query("monitoring_quality_weighted_f1_ratio", "reviewed ({{model_version}})"),
            Query("monitoring_quality_expected_f1_ratio", "expected ({{model_version}})"),
        ),
        bars(
            About("Precision by type", "For product types with enough reviewed answers.", units.PercentUnit),
            Query("sort(max by (product_type) (monitoring_quality_precision_ratio))", "{{product_type}}"),
            maximum=1,
        ),
        graph(
            About(
                "Rows",
                "Predictions and reviewed predictions in the current window, listings in the reference window.",
                units.Short,
            ),
            Query("monitoring_current_rows", "current ({{model_version}})"),
            Query("monitoring_reference_rows", "reference ({{model_version}})"),
            Query("monitoring_feedback_rows", "reviewed ({{model_version}})"),
        ),
    ]
    return page(
        "product-types-model",
        "Model and drift",
        "Answers, their drift from the training data, and their quality.",
        {"Answers": answers, "Drift": drift, "Quality": quality},
    )
