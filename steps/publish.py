"""The last step of monitoring: the verdict, for the dashboard, the tracker and Prometheus."""

from datetime import UTC, datetime
from typing import Annotated

from zenml import ArtifactConfig, add_tags, get_step_context, log_metadata, step
from zenml.types import HTMLString

from catalog.agreement import Quality
from checks.drift import Drift
from checks.monitoring_report import MonitoringReport, make_report
from ledger.windows import Window


@step(enable_cache=False, experiment_tracker=True)
def publish_verdict(
    window: Window, drift: Drift, quality: Quality
) -> tuple[
    Annotated[MonitoringReport, ArtifactConfig(name="monitoring_report", tags=["monitoring"])],
    Annotated[HTMLString, ArtifactConfig(name="monitoring_page", tags=["monitoring", "page"])],
]:
    """Put drift and quality together and publish the report."""
    from reports.monitoring_page import monitoring_page
    from tracking.monitoring_run import log_monitoring
    from tracking.pushgateway import push

    now, run = datetime.now(UTC).replace(microsecond=0), get_step_context().pipeline_run
    report = make_report(run.name, now, window, drift, quality)
    page = monitoring_page(report)
    report = report.model_copy(update={"pushgateway": push(report)})
    log_monitoring(report, page)
    log_metadata(metadata={"verdict": report.verdict}, artifact_name="monitoring_report", infer_artifact=True)
    log_metadata(metadata={**report.summary()}, run_id_name_or_prefix=run.id)
    add_tags(tags=[report.verdict], run=run.id)
    return report, HTMLString(page)
