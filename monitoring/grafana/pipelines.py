"""The dashboard of the pipelines that start automatically: monitoring and retraining."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models import units

from monitoring.grafana.panels import (
    GREEN,
    GREY,
    HEIGHT,
    ORANGE,
    RED,
    YES_NO,
    About,
    Query,
    bars,
    graph,
    number,
    page,
    states,
)


def board() -> Dashboard:
    """Return the dashboard."""
    day = 86_400
    now = [
        number(
            About("Last report", "Time since the latest report of the monitor service.", units.Seconds),
            Query("time() - max(watch_last_report_timestamp_seconds)"),
            steps={day: ORANGE, 93_600: RED},
        ),
        number(
            About("Last push", "Time since a run last pushed to the Pushgateway. Alert: over 26 hours.", units.Seconds),
            Query("time() - max(monitoring_last_success_timestamp_seconds)"),
            steps={day: ORANGE, 93_600: RED},
        ),
        number(
            About("Retraining now", "Whether a retraining is under way.", units.NoUnit),
            Query("max(retraining_running)"),
            names={0: ("no", GREEN), 1: ("yes", ORANGE)},
        ),
        number(
            About("Last retraining", "How the last retraining ended.", units.NoUnit),
            Query("retraining_last_outcome == 1", "{{outcome}}"),
            show_name=True,
        ),
        number(
            About("Since the last retraining", "Time since the last retraining ended.", units.Seconds),
            Query("time() - max(retraining_last_finish_timestamp_seconds)"),
        ),
        number(
            About("Targets up", "Share of the targets of Prometheus that answer.", units.PercentUnit),
            Query("avg(up)"),
            steps={},
        ),
    ]
    counts = [
        bars(
            About(
                "Monitoring runs by outcome",
                "Verdicts and failures since the monitor service was started.",
                units.Short,
            ),
            Query("sum by (outcome) (watch_monitoring_runs_total)", "{{outcome}}"),
            width=8,
        ),
        bars(
            About(
                "Alerts by decision", "What the monitor service decided about alerts since it was started.", units.Short
            ),
            Query("sum by (decision) (watch_alerts_total)", "{{decision}}"),
            width=8,
        ),
        bars(
            About("Retrainings by outcome", "Retrainings since the monitor service was started.", units.Short),
            Query("sum by (outcome) (retraining_total)", "{{outcome}}"),
            width=8,
        ),
    ]
    history = [
        graph(
            About("Monitoring runs", "Runs in an hour, by outcome.", units.Short),
            Query("sum by (outcome) (increase(watch_monitoring_runs_total[1h]))", "{{outcome}}"),
        ),
        graph(
            About("Decisions", "Decisions about alerts in an hour.", units.Short),
            Query("sum by (decision) (increase(watch_alerts_total[1h]))", "{{decision}}"),
        ),
        states(
            About("Retraining", "Times at which a retraining was under way.", units.NoUnit),
            Query("max(retraining_running)", "retraining"),
            names={0: ("no", GREY), 1: ("under way", ORANGE)},
            height=HEIGHT,
        ),
        states(
            About("Alerts that ask for a retraining", "Times at which such an alert fired.", units.NoUnit),
            Query(
                'max by (alertname, model_version) (ALERTS{alertstate="firing", action="retrain"})',
                "{{alertname}} {{model_version}}",
            ),
            names={1: ("firing", RED)},
            height=HEIGHT,
        ),
        states(
            About("Targets", "Whether the targets of Prometheus answered.", units.NoUnit),
            Query("min by (job) (up)", "{{job}}"),
            names=YES_NO,
            width=24,
            height=HEIGHT,
        ),
    ]
    return page(
        "product-types-pipelines",
        "Pipelines",
        "Monitoring runs, alerts, decisions and retrainings.",
        {"Now": now, "Since the start": counts, "Over time": history},
    )
