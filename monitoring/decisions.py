"""Whether an alert starts a retraining: once per alert, with a cool-down and a daily budget, never two at a time."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from monitoring.record import Decided, Decision, Record

logger = logging.getLogger("monitoring")

ACTION, RETRAIN = "action", "retrain"  # the label by which a rule asks for a retraining
Name = Annotated[str, Field(max_length=200)]


class Alert(BaseModel):
    """One alert of a webhook, as far as it matters here."""

    model_config = ConfigDict(frozen=True)

    status: Literal["firing", "resolved"]
    labels: dict[Name, Annotated[str, Field(max_length=2_000)]]
    starts_at: Annotated[AwareDatetime, Field(alias="startsAt")]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.labels.get("alertname", "without a name")[:200]


class Webhook(BaseModel):
    """What Alertmanager sends (version 4)."""

    version: Literal["4"]
    alerts: Annotated[list[Alert], Field(max_length=1_000)]


@dataclass(frozen=True)
class Rules:
    """How often may be retrained: `cool_down` after the last retraining ended, `daily_budget` a day (UTC).

    With a `model_name`, alerts that name another model are not meant.
    """

    cool_down: timedelta = timedelta(hours=6)
    daily_budget: int = 3
    model_name: str | None = None


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Decider:
    """Decides, and has every decision on the disk before it is acted upon."""

    def __init__(self, record: Record, rules: Rules, clock: Callable[[], datetime] = utc_now) -> None:
        self._record = record
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()

    def decide(self, alerts: Sequence[Alert]) -> list[Decided]:
        """Return a decision an alert; at most one starts a retraining. Raises `RecordError` when none can be stored."""
        with self._lock:
            decisions: list[Decided] = []
            started: Decided | None = None
            for alert in alerts:
                decided = self._decide(alert, started)
                decisions.append(decided)
                if decided.decision == "started":
                    started = decided
            self._record.append(*decisions)
        for decided in decisions:
            logger.info("Alert %r %s: %s (%s)", decided.alert, decided.fingerprint, decided.decision, decided.reason)
        return decisions

    def _decide(self, alert: Alert, started: Decided | None) -> Decided:
        now = self._clock()
        decision, reason = self._judge(alert, now, started)
        return Decided(
            at=now,
            decision=decision,
            reason=reason,
            alert=alert.name,
            fingerprint=alert.fingerprint,
            starts_at=alert.starts_at,
            retraining=f"{now:%Y%m%dT%H%M%S}-{alert.fingerprint[:16]}" if decision == "started" else None,
        )

    def _judge(self, alert: Alert, now: datetime, started: Decided | None) -> tuple[Decision, str]:
        record, rules = self._record, self._rules
        all_started = [*record.started.values(), *([started] if started else [])]
        running = started or record.unfinished
        if alert.labels.get(ACTION) != RETRAIN:
            return "ignored", f"it has no label {ACTION}={RETRAIN}"
        model = alert.labels.get("model_name")
        if rules.model_name and model not in (None, rules.model_name):
            return "ignored", f"it is about the model '{model}', and this service retrains '{rules.model_name}'"
        if alert.status == "resolved":
            return "resolved", "nothing to do any more"
        for before in all_started:
            if before.key == (alert.fingerprint, alert.starts_at):
                return "duplicate", f"this alert has started retraining {before.retraining}"
        if running:
            return "already_running", f"retraining {running.retraining} is under way"
        ends = [entry.at for entry in record.finished.values()] + [entry.at for entry in all_started]
        if ends and (rest := max(ends) + rules.cool_down) > now:
            return "cooling_down", f"the next retraining may begin at {rest:%Y-%m-%d %H:%M:%S} UTC"
        today = sum(entry.at.astimezone(UTC).date() == now.astimezone(UTC).date() for entry in all_started)
        if today >= rules.daily_budget:
            return "over_budget", f"{today} of {rules.daily_budget} retrainings of this day (UTC) are used"
        return "started", "a new alert that asks for it"
