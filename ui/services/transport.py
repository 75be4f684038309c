"""Requests to one service, and what becomes of its errors."""

import os
from collections.abc import Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, ClassVar, Literal

import httpx

ServiceName = Literal["prediction", "auth", "monitor"]

AWAY = 0  # the status of a service that did not answer
_SECONDS = 60  # for an answer; a batch takes up to 4 on a busy worker
_CONNECT = 5  # seconds
_DEFAULTS = {"SERVICE_URL": "http://127.0.0.1:3000", "MONITOR_URL": "http://127.0.0.1:8003"}


class ServiceError(Exception):
    """A service refused a request, failed, or did not answer.

    Attributes:
        service: which one.
        status: of the answer; `AWAY` when there was none.
        detail: what the service said, in English.
        errors: the fields that it named as wrong.
        retry_after: seconds until it may be asked again, if it said so.
    """

    def __init__(
        self,
        service: ServiceName,
        status: int,
        detail: str = "",
        errors: list[dict[str, str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{service} service: {status or 'no answer'} {detail}".rstrip())
        self.service = service
        self.status = status
        self.detail = detail
        self.errors = errors or []
        self.retry_after = retry_after


class Service:
    """One service, asked with the token of one user, if any."""

    name: ClassVar[ServiceName]
    seconds: ClassVar[float] = _SECONDS  # for an answer

    def __init__(self, client: httpx.Client, auth: httpx.Auth | None = None) -> None:
        self._client = client
        self._auth = auth

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """Send a request and return its JSON answer, or None when there is none.

        Args:
            query: entries that are None are left out.
            body: sent as JSON.
            form: sent as a form, instead of a body.
            key: the idempotency key.

        Raises `ServiceError`.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        headers = {"Idempotency-Key": key} if key else {}
        response = self._send(method, path, params=given, json=body, data=form, headers=headers)
        try:
            return response.json() if response.content else None
        except ValueError:  # something else answers at this address
            raise ServiceError(self.name, 502, "the answer is no JSON") from None

    def fetch(self, path: str) -> bytes:
        """Return the content of a file. Raises `ServiceError`."""
        return self._send("GET", path).content

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a request and return the answer of a success; `content` is httpx's. Raises `ServiceError`."""
        limits = httpx.Timeout(self.seconds, connect=_CONNECT).as_dict()
        try:
            response = self._client.request(method, path, auth=self._auth, extensions={"timeout": limits}, **content)
        except httpx.HTTPError:
            raise ServiceError(self.name, AWAY) from None
        if response.is_success:
            return response
        raise _error(self.name, response)


def _error(service: ServiceName, response: httpx.Response) -> ServiceError:
    """Return the error that a response stands for. Proxies answer without a problem document."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    seconds = response.headers.get("Retry-After", "")
    return ServiceError(
        service,
        response.status_code,
        str(problem.get("detail", "")),
        [entry for entry in problem.get("errors") or [] if isinstance(entry, dict)],
        int(seconds) if seconds.isdecimal() else None,
    )


def address(service: ServiceName) -> str:
    """Return the address of a service, from the environment or the usual one. Auth is in the prediction service."""
    if service == "auth" and os.environ.get("AUTH_URL"):
        return os.environ["AUTH_URL"]
    name = "MONITOR_URL" if service == "monitor" else "SERVICE_URL"
    return os.environ.get(name) or _DEFAULTS[name]


@cache
def connect(url: str) -> httpx.Client:
    """Return the connections of this process to an address. All sessions share them, from several threads.

    They keep no cookies: what a proxy gives to one user must not be sent for another one.
    """
    return httpx.Client(base_url=url, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())), trust_env=False)
