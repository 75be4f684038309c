"""All three services are run with the limits of `web.connections`."""

import inspect
import sys
from argparse import Namespace
from typing import Any

import pytest
import uvicorn
from _bentoml_impl.worker.service import main as worker

import bento.service
from bento import auth_service
from commands import watch
from web.connections import LimitedProtocol


def protocol_of(**options: Any) -> type:
    config = uvicorn.Config(lambda: None, log_config=None, **options)
    config.load()
    return config.http_protocol_class


def test_uvicorn_takes_our_protocol_where_bentoml_lets_it_choose() -> None:
    assert bento.service.ProductTypes
    assert protocol_of() is LimitedProtocol
    source = inspect.getsource(worker.callback)  # type: ignore[arg-type]
    assert "uvicorn.Config(" in source
    for way_around in ("http=", '"http"', "limit_concurrency"):
        assert way_around not in source, "BentoML's worker no longer lets uvicorn choose: see bento/service.py"


def test_auth_alone_is_served_with_our_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **options: given.update(options))
    monkeypatch.setattr(sys, "argv", ["auth_service", "--host", "127.0.0.1", "--port", "8001"])
    auth_service.main()
    assert protocol_of(http=given["http"]) is LimitedProtocol
    assert (given["proxy_headers"], given["host"], given["port"]) == (False, "127.0.0.1", 8001)


def test_the_monitor_service_is_served_with_our_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[uvicorn.Config] = []

    class Server:
        def __init__(self, config: uvicorn.Config) -> None:
            given.append(config)

        def run(self, **_: Any) -> None:
            pass

    monkeypatch.setattr(uvicorn, "Server", Server)
    monkeypatch.setattr("state.processes.on_end", lambda *_: None)
    idle: Any = Namespace(gate=None, start=lambda: None, stop=lambda: None)
    watch._serve(idle, idle)
    assert given[0].http is LimitedProtocol
    assert given[0].proxy_headers is False
