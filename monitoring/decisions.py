"""Decides whether an alert or a user starts a retraining: one at a time, with a cool-down and a daily budget.

An alert is served by one retraining. If that failed, the alert starts another one, as long as it fires.
"""

import logging
import math
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from monitoring.entries import AlertDecision, AlertVerdict, Job, RetrainingRequest
from monitoring.journal import Journal

logger = logging.getLogger("monitoring")

ACTION, RETRAIN = "action", "retrain"  # the label by which a rule asks for a retraining
MOST_VALUES = 50_000  # in the JSON of a webhook: 1,000 alerts with labels and annotations
_MOST_LABELS = 100
Name = Annotated[str, Field(max_length=200)]


def _few(labels: Any) -> Any:  # before they are validated, which makes an error of every wrong one
    if isinstance(labels, dict) and len(labels) > _MOST_LABELS:
        raise ValueError(f"an alert has at most {_MOST_LABELS} labels")
    return labels


class Alert(BaseModel):
    """One alert of a webhook; fields that are not used here are left out."""

    model_config = ConfigDict(frozen=True)

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[Name, Annotated[str, Field(max_length=2_000)]], BeforeValidator(_few)]
    starts_at: Annotated[AwareDatetime, Field(alias="startsAt")]
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]

    @property
    def name(self) -> str:
        """The name of its rule."""
        return self.labels.get("alertname", "without a name")[:200]

    @property
    def key(self) -> tuple[str, datetime]:
        """The identity of the alert: its fingerprint and the time at which it began to fire."""
        return self.fingerprint, self.starts_at


class Webhook(BaseModel):
    """What Alertmanager sends (version 4)."""

    version: Literal["4"]
    alerts: Annotated[list[Alert], Field(max_length=1_000)]


@dataclass(frozen=True)
class Rules:
    """The limits of retraining: `cool_down` after the last retraining ended, `daily_budget` retrainings a day (UTC).

    With a `model_name`, alerts about another model are ignored.
    """

    cool_down: timedelta = timedelta(hours=6)
    daily_budget: int = 3
    model_name: str | None = None


@dataclass(frozen=True)
class Limit:
    """Why no retraining may start now, and until when (None: until the one under way has ended)."""

    verdict: AlertVerdict
    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class Budget:
    """What is left of the limits at a moment. `cool_down_until`: None where no cool-down is under way."""

    left_today: int
    daily_budget: int
    cool_down_until: datetime | None


class NotNowError(Exception):
    """No retraining may start now. `retry_after`: seconds (None: when the one under way has ended)."""

    def __init__(self, limit: Limit, now: datetime) -> None:
        super().__init__(limit.reason)
        self.limit = limit
        self.retry_after = math.ceil((limit.until - now).total_seconds()) if limit.until else None


def utc_now() -> datetime:
    """Return the current time, timezone-aware (UTC)."""
    return datetime.now(UTC)


class Decider:
    """Decides about alerts and requests of users. Every decision is stored before anything is done."""

    def __init__(self, journal: Journal, rules: Rules, clock: Callable[[], datetime] = utc_now) -> None:
        self._journal = journal
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()

    def decide(self, alerts: Sequence[Alert]) -> list[AlertDecision]:
        """Return one decision per alert; at most one starts a retraining.

        Raises `JournalError` when they cannot be stored; none of them holds then.
        """
        with self._lock:
            decisions: list[AlertDecision] = []
            started: AlertDecision | None = None
            for alert in alerts:
                decided = self._decide(alert, started)
                decisions.append(decided)
                if decided.decision == "started":
                    started = decided
            self._journal.append(*decisions)
        for decided in decisions:
            logger.info("Alert %r %s: %s (%s)", decided.alert, decided.fingerprint, decided.decision, decided.reason)
        return decisions

    def request(self, asked_by: str, reason: str) -> RetrainingRequest:
        """Return the request of a user as it was stored: it starts a retraining.

        Raises `NotNowError` when none may start now, and `JournalError` when the request cannot be stored.
        """
        with self._lock:
            now = self._clock()
            if limit := self._limit(now, self._journal.unfinished):
                raise NotNowError(limit, now)
            retraining = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(8)}"
            asked_for = RetrainingRequest(at=now, asked_by=asked_by, reason=reason, retraining=retraining)
            self._journal.append(asked_for)
        logger.info("%r asks for retraining %s: %s", asked_by, retraining, reason)
        return asked_for

    def budget(self) -> Budget:
        """Return what is left of the limits now. Raises `JournalError`."""
        now, most = self._clock(), self._rules.daily_budget
        earliest = self._cool_down_end()
        return Budget(
            left_today=max(0, most - self._journal.started_on_day_of(now)),
            daily_budget=most,
            cool_down_until=earliest if earliest and earliest > now and not self._journal.unfinished else None,
        )

    def _limit(self, now: datetime, running: Job | None) -> Limit | None:
        """Return why no retraining may start now, if that is so. `running`: what started the one under way."""
        if running:
            return Limit("already_running", f"retraining {running.retraining} is under way")
        earliest = self._cool_down_end()
        if earliest and earliest > now:
            text = f"the next retraining may begin at {earliest:%Y-%m-%d %H:%M:%S} UTC"
            return Limit("cooling_down", text, earliest)
        today, most = self._journal.started_on_day_of(now), self._rules.daily_budget
        if today >= most:
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            return Limit("over_budget", f"{today} of {most} retrainings of this day (UTC) are used", midnight)
        return None

    def _cool_down_end(self) -> datetime | None:
        last = self._journal.last_activity
        return last + self._rules.cool_down if last else None

    def _decide(self, alert: Alert, started: AlertDecision | None) -> AlertDecision:
        now = self._clock()
        decision, reason = self._judge(alert, now, started)
        return AlertDecision(
            at=now,
            decision=decision,
            reason=reason,
            alert=alert.name,
            fingerprint=alert.fingerprint,
            starts_at=alert.starts_at,
            retraining=f"{now:%Y%m%dT%H%M%S}-{alert.fingerprint[:16]}" if decision == "started" else None,
        )

    def _judge(self, alert: Alert, now: datetime, started: AlertDecision | None) -> tuple[AlertVerdict, str]:
        """`started`: the decision about an earlier alert of the same webhook that starts a retraining."""
        journal, rules = self._journal, self._rules
        if alert.labels.get(ACTION) != RETRAIN:
            return "ignored", f"it has no label {ACTION}={RETRAIN}"
        model = alert.labels.get("model_name")
        if rules.model_name and model not in (None, rules.model_name):
            return "ignored", f"it is about the model '{model}', and this service retrains '{rules.model_name}'"
        if alert.status == "resolved":
            return "resolved", "the alert has ended"
        before = started if started and started.key == alert.key else journal.started_by(*alert.key)
        failed = before is not None and self._has_failed(before)
        if before and not failed:
            return "duplicate", f"this alert has started retraining {before.retraining}"
        if limit := self._limit(now, started or journal.unfinished):
            return limit.verdict, limit.reason
        if before and failed:
            return "started", f"retraining {before.retraining} of this alert failed, and it still fires"
        return "started", "a new alert that asks for a retraining"

    def _has_failed(self, started: AlertDecision) -> bool:
        end = self._journal.end_of(str(started.retraining))
        return end is not None and end.outcome == "failed"
