"""A client of the prediction service: logs in, asks again while the service is busy, and counts the answers."""

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, Self

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_attempt

_ATTEMPTS = 6  # of one request, while the service is busy or away for a moment
_LONGEST_WAIT = 20.0  # seconds
_TIMEOUT = 30.0
_BUSY = (429, 502, 503, 504)


class ServiceError(RuntimeError):
    """The service is not there, or does not let this user in."""


@dataclass
class Totals:
    """Counts of what was sent and answered."""

    sent: int = 0
    requests: int = 0
    errors: int = 0
    waits: int = 0
    feedback: int = 0
    agreed: int = 0
    seconds: list[float] = field(default_factory=list)  # of each answered request for predictions
    last_error: str = ""


class ServiceClient:
    """One user of the service. Requests are repeated, after a wait, while the service is busy."""

    def __init__(self, service: str, username: str, password: str) -> None:
        self._client = httpx.Client(base_url=service, timeout=_TIMEOUT, trust_env=False)
        self._credentials = {"username": username, "password": password}
        self.totals = Totals()
        self._counting = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def count(self, **more: int) -> None:
        """Add to the totals. Safe to call from several threads."""
        with self._counting:
            for name, value in more.items():
                setattr(self.totals, name, getattr(self.totals, name) + value)

    def log_in(self) -> None:
        """Fetch a token. Raises `ServiceError` when the service is not there, or refuses the password."""
        try:
            answer = self._send("POST", "/login", data=self._credentials)
        except httpx.HTTPError as error:
            raise ServiceError(
                f"there is no service at {self._client.base_url} ({type(error).__name__}); "
                "start it with 'python run.py serve', or name another with --service URL"
            ) from None
        if answer.status_code == 401:
            raise ServiceError(
                f"the service does not accept the password of '{self._credentials['username']}'; "
                "name the user with --username or USERNAME and its password in PASSWORD"
            )
        token = _json(answer).get("access_token") if answer.status_code == 200 else None
        if not token:
            raise ServiceError(f"{self._client.base_url} answers /login with {answer.status_code} and no token")
        self._client.headers["Authorization"] = f"Bearer {token}"

    def set_up_user(self, username: str, password: str, role: str) -> None:
        """Create a user, or give one of this role a new password. Raises `ServiceError`, also when it is another's."""
        new = {"username": username, "password": password, "role": role}
        try:
            answer = self._send("POST", "/users", json=new)
            if answer.status_code == 409:
                self._require_role(username, role)
                answer = self._send("PATCH", f"/users/{username}", json={"password": password})
        except httpx.HTTPError as error:
            raise ServiceError(f"the service did not answer /users ({type(error).__name__})") from None
        if answer.status_code == 403:
            name = self._credentials["username"]
            raise ServiceError(
                f"'{name}' is not an admin and cannot create the account '{username}', which the traffic is sent with; "
                f"name an admin in USERNAME and PASSWORD, or send as '{name}' itself with --username {name}"
            )
        if answer.status_code not in (200, 201):
            detail = _json(answer).get("detail", "")
            raise ServiceError(f"the service does not create '{username}': {answer.status_code} {detail}".strip())

    def _require_role(self, username: str, role: str) -> None:
        listed = self._send("GET", "/users")
        users = listed.json() if listed.status_code == 200 else []
        if not any((user.get("username"), user.get("role")) == (username, role) for user in users):
            raise ServiceError(
                f"there is a user '{username}' who is no {role}; choose another name with --seed, "
                "or send as a user that exists with --username NAME"
            )

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        """Return the answer to a request, or None when it failed for good. Failures are counted."""
        started = monotonic()
        try:
            answer = self._send(method, path, json=body)
            if answer.status_code == 401:  # a token lives for half an hour
                self.log_in()
                answer = self._send(method, path, json=body)
        except httpx.HTTPError as error:
            self._count_failure(path, type(error).__name__)
            return None
        if answer.status_code != 200:
            self._count_failure(path, f"{answer.status_code} {_json(answer).get('detail', '')}".strip())
            return None
        if path.startswith("/predict"):
            self.totals.seconds.append(monotonic() - started)
        return _json(answer)

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request, and send it again while the service is busy or restarts. Raises `httpx.HTTPError`."""
        answer: httpx.Response = self._attempts(self._send_once, method, path, **content)
        return answer

    def _send_once(self, method: str, path: str, **content: Any) -> httpx.Response:
        self.count(requests=1)
        return self._client.request(method, path, **content)

    @property
    def _attempts(self) -> Retrying:
        """How a request is repeated. Without a token the service has never answered: then it is not there."""
        restarting = retry_if_exception(
            lambda error: isinstance(error, httpx.TransportError) and "Authorization" in self._client.headers
        )
        return Retrying(
            retry=retry_if_result(lambda answer: answer.status_code in _BUSY) | restarting,
            wait=_seconds_to_wait,
            stop=stop_after_attempt(_ATTEMPTS),
            before_sleep=lambda _: self.count(waits=1),
            retry_error_callback=_last_answer,
        )

    def _count_failure(self, path: str, why: str) -> None:
        self.count(errors=1)
        self.totals.last_error = f"{path}: {why}"


def _seconds_to_wait(attempt: RetryCallState) -> float:
    """Return what the service asks for in `Retry-After`, or else a time that doubles with every attempt."""
    outcome = attempt.outcome
    asked = None if outcome is None or outcome.failed else outcome.result().headers.get("Retry-After")
    seconds = float(asked) if asked and asked.isdecimal() else 0.25 * 2**attempt.attempt_number
    return min(seconds, _LONGEST_WAIT)


def _last_answer(attempt: RetryCallState) -> Any:
    assert attempt.outcome is not None
    return attempt.outcome.result()  # raises what the last attempt raised


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
