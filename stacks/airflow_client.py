"""A client of Airflow's REST API (v2, Airflow 3): starts a DAG, waits for its run, and returns how that ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Any, Literal, Self, cast
from urllib.parse import quote

import httpx
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

DAG_ID = "product_types_training"  # the default
_TIMEOUT = 20  # seconds for one answer
_OUTAGE = 300  # seconds without an answer that a wait for a run survives
_ENDED = ("success", "failed")

State = Literal["success", "failed"]


class AirflowError(Exception):
    """Airflow refused a request or does not work. The message is a sentence for the user."""


class AirflowStoppedError(Exception):
    """The wait for a run was stopped. The run itself continues."""


class AirflowAwayError(AirflowError):
    """Airflow does not answer, or answers with a server error."""


@dataclass(frozen=True)
class AirflowSettings:
    """Address and credentials of Airflow, and the DAG to start."""

    url: str
    username: str
    password: str
    dag_id: str = DAG_ID

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], dag_id: str = DAG_ID) -> Self:
        """Read AIRFLOW_API_URL, AIRFLOW_USERNAME, AIRFLOW_PASSWORD and, instead of `dag_id`, AIRFLOW_DAG_ID.

        Raises `AirflowError` naming what is missing.
        """
        names = ("AIRFLOW_API_URL", "AIRFLOW_USERNAME", "AIRFLOW_PASSWORD")
        if missing := [name for name in names if not environment.get(name)]:
            raise AirflowError(
                f"{', '.join(missing)} must be set for retraining on a stack whose orchestrator is Airflow"
            )
        url, username, password = (environment[name] for name in names)
        if not url.startswith(("http://", "https://")):
            raise AirflowError("AIRFLOW_API_URL must begin with http:// or https://")
        return cls(url.rstrip("/"), username, password, environment.get("AIRFLOW_DAG_ID") or dag_id)

    def __repr__(self) -> str:
        return f"AirflowSettings(url={self.url!r}, username={self.username!r}, dag_id={self.dag_id!r})"


class AirflowClient:
    """Starts and watches the runs of one DAG. Not safe to use from several threads at once."""

    def __init__(self, settings: AirflowSettings, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self._client = httpx.Client(base_url=settings.url, timeout=_TIMEOUT, transport=transport)
        self._token: str | None = None
        self._runs = f"/api/v2/dags/{quote(settings.dag_id, safe='')}/dagRuns"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def wait_until_read(self, since: datetime, *, every: float = 2, limit: float = 600) -> None:
        """Return when Airflow has read the DAG's file after `since`. Raises `AirflowError` after `limit` seconds."""
        attempts = Retrying(
            retry=retry_if_result(lambda read: not read),
            wait=wait_fixed(every),
            stop=stop_after_delay(limit),
            retry_error_callback=lambda _: False,
        )
        if not attempts(self._has_been_read, since):
            raise AirflowError(
                f"Airflow has not read the DAG '{self.settings.dag_id}' within {limit / 60:,.0f} minutes: does it "
                "look into the folder to which the DAG was delivered?"
            )

    def trigger(self, dag_run_id: str, note: str) -> bool:
        """Start a run, or return false when a run with this id exists. Raises `AirflowError`."""
        body = {"dag_run_id": dag_run_id, "logical_date": None, "note": note}
        answer = self._request("POST", self._runs, body)
        if answer.status_code == 409:
            return False
        self._require_success(answer, "started")
        return True

    def state(self, dag_run_id: str) -> str:
        """Return the state of a run: queued, running, success or failed. Raises `AirflowError`."""
        answer = self._request("GET", f"{self._runs}/{quote(dag_run_id, safe='')}")
        self._require_success(answer, "read")
        return str(_content(answer).get("state"))

    def wait(self, dag_run_id: str, *, every: float = 5, limit: float = 12 * 3600, stop: Event | None = None) -> State:
        """Return how a run ended, asking every `every` seconds. Airflow may be away for five minutes at a time.

        Raises `AirflowError` when it has not ended after `limit` seconds, `AirflowStoppedError` when `stop` is set.
        """
        stop = stop or Event()
        deadline, answered = monotonic() + limit, monotonic()
        while True:
            try:
                state = self.state(dag_run_id)
                answered = monotonic()
            except AirflowAwayError:
                if monotonic() - answered > _OUTAGE:
                    raise
            else:
                if state in _ENDED:
                    return cast(State, state)
            if monotonic() > deadline:
                raise AirflowError(
                    f"run {dag_run_id} of {self.settings.dag_id} has not ended after {limit / 60:,.0f} minutes"
                )
            if stop.wait(every):
                raise AirflowStoppedError

    def _has_been_read(self, since: datetime) -> bool:
        answer = self._request("GET", f"/api/v2/dags/{quote(self.settings.dag_id, safe='')}")
        if answer.status_code == 404:
            return False
        self._require_success(answer, "read")
        read_at = _content(answer).get("last_parsed_time")
        return read_at is not None and datetime.fromisoformat(read_at) > since

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        answer = self._send(method, path, body)
        if answer.status_code == 401:  # the token has expired, or Airflow was restarted
            self._token = None
            answer = self._send(method, path, body)
        return answer

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        if self._token is None:
            self._token = self._log_in()
        return self._exchange(method, path, body, {"Authorization": f"Bearer {self._token}"})

    def _log_in(self) -> str:
        credentials = {"username": self.settings.username, "password": self.settings.password}
        answer = self._exchange("POST", "/auth/token", credentials, {})
        if answer.status_code in (400, 401, 403):
            raise AirflowError(f"Airflow at {self.settings.url} does not accept AIRFLOW_USERNAME and AIRFLOW_PASSWORD")
        token = _content(answer).get("access_token") if answer.is_success else None
        if not isinstance(token, str):
            raise AirflowError(
                f"{self.settings.url}/auth/token answered {answer.status_code} and gave no token: is AIRFLOW_API_URL "
                "the address of an Airflow 3 API server?"
            )
        return token

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise AirflowAwayError(
                f"Airflow at {self.settings.url} does not answer ({type(error).__name__})"
            ) from error
        if answer.status_code >= 500:
            raise AirflowAwayError(f"Airflow at {self.settings.url} answers {answer.status_code}")
        return answer

    def _require_success(self, answer: httpx.Response, done: str) -> None:
        if answer.is_success:
            return
        dag = self.settings.dag_id
        match answer.status_code:
            case 401 | 403:
                reason = f"user '{self.settings.username}' may not do that"
            case 404:
                reason = f"Airflow has no such DAG or run: was '{dag}' delivered, and named in AIRFLOW_DAG_ID?"
            case status:
                reason = f"Airflow answers {status}: {_detail(answer)}"
        raise AirflowError(f"DAG '{dag}' could not be {done}: {reason}")


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _detail(answer: httpx.Response) -> str:
    return str(_content(answer).get("detail", ""))[:200] or "without a reason"
