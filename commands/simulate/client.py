"""A client of the prediction service: logs in, asks again while the service is busy, and counts the answers."""

from dataclasses import dataclass, field
from threading import Lock
from time import monotonic, sleep
from typing import Any, Self

import httpx

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
        for attempt in range(1, _ATTEMPTS + 1):
            self.count(requests=1)
            try:
                answer = self._client.request(method, path, **content)
            except httpx.TransportError:
                if attempt == _ATTEMPTS or "Authorization" not in self._client.headers:
                    raise
                wait = 0.25 * 2**attempt
            else:
                if answer.status_code not in _BUSY or attempt == _ATTEMPTS:
                    return answer
                wait = _seconds(answer.headers.get("Retry-After"), 0.25 * 2**attempt)
            self.count(waits=1)
            sleep(min(wait, _LONGEST_WAIT))
        raise AssertionError("the last attempt returns or raises")

    def _count_failure(self, path: str, why: str) -> None:
        self.count(errors=1)
        self.totals.last_error = f"{path}: {why}"


def _seconds(header: str | None, otherwise: float) -> float:
    return float(header) if header and header.isdecimal() else otherwise


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
