"""`run.py serve` and the processes, ports and files that another `serve` may own."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from commands import serve
from commands.listening import listen, reachable, require_free
from commands.serve.release import Release
from commands.serve.service import Place, Record, Service, left_behind
from state.lock import hold
from state.processes import Child, Ending, has_ended
from terminal.errors import CommandError
from tests.system.workspace import free_port, wait_for
from tracking.registry import RegisteredVersion

ENDING = Ending(signal.SIGTERM, patience=10)
# A supervisor with a worker in its session, as `bentoml serve` has them; both carry "bentoml" in their command lines.
SUPERVISOR = """
import pathlib, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "bentoml worker"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".part").write_text(str(worker.pid))
path.with_suffix(".part").rename(path)
time.sleep(600)
"""


class Health(BaseHTTPRequestHandler):
    """Answers as a healthy service of version 2 of `shop`."""

    def do_GET(self) -> None:
        body = json.dumps({"model_name": "shop", "model_version": "2"}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Where this test's process listens and answers as a service does."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Place(tmp_path, "127.0.0.1", server.server_port)
    server.shutdown()
    server.server_close()


def service(place: Place, *, number: int = 2) -> Service:
    """A service whose process is that of this test."""

    class Own(Child):
        def __init__(self) -> None:
            self.pid_of_test = os.getpid()

        pid = property(lambda self: self.pid_of_test)  # type: ignore[assignment]
        exit_code = None  # type: ignore[assignment]

    version = RegisteredVersion(number=str(number), run_id="r", source="s", tags={})
    return Service(Own(), Release(version, f"shop:{number}-a", Path()), place)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_local_service_is_asked_without_the_proxy_of_the_environment(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    assert service(place).is_healthy()
    assert service(place).is_alive()


def test_another_version_or_another_process_on_the_port_is_not_taken_for_the_service(place: Place) -> None:
    assert not service(place, number=3).is_healthy()
    other = Child.start([sys.executable, "-c", "import time; time.sleep(600)"], ENDING)
    try:
        version = RegisteredVersion(number="2", run_id="r", source="s", tags={})
        assert not Service(other, Release(version, "shop:2-a", Path()), place).is_healthy()
    finally:
        other.end()


@pytest.mark.parametrize("killed", ["only serve", "its supervisor too"])
def test_a_service_that_a_killed_serve_left_behind_is_found_and_ended(tmp_path: Path, killed: str) -> None:
    place, path = Place(tmp_path, "127.0.0.1", 3000), tmp_path / "pid"
    child = Child.start([sys.executable, "-c", SUPERVISOR, str(path), "bentoml"], ENDING)
    wait_for("its worker runs", path.is_file)
    worker = psutil.Process(int(path.read_text()))
    content = {"pid": child.pid, "created": child.created, "tag": "shop:1-a"}
    place.record.write_text(json.dumps(content))
    if killed == "its supervisor too":
        os.kill(child.pid, signal.SIGKILL)
        wait_for("it has ended", lambda: child.exit_code is not None)
    left = left_behind(place)
    assert left == Record(child.pid, child.created, "shop:1-a")
    left.end()
    assert has_ended(worker)
    assert child.exit_code is not None
    assert left_behind(place) is None


@pytest.mark.parametrize("content", ["", "{}", '{"pid": 1, "created": 1, "tag": "of another process"}'])
def test_a_record_of_nothing_that_runs_is_ignored(tmp_path: Path, content: str) -> None:
    place = Place(tmp_path, "127.0.0.1", 3000)
    assert left_behind(place) is None
    place.record.write_text(content)
    assert left_behind(place) is None


def test_a_second_serve_on_a_port_is_refused_naming_the_first(tmp_path: Path) -> None:
    place = Place(tmp_path, "127.0.0.1", 3000)
    with hold(tmp_path / "serve-3000.lock", "run.py serve"):
        refused = rf"'run.py serve' \(process {os.getpid()}, since .*\) serves on port 3000 already"
        with pytest.raises(CommandError, match=refused), serve._alone_on(place):
            pass
        with serve._alone_on(Place(tmp_path, "127.0.0.1", 3001)):
            pass


def test_a_port_that_is_taken_is_named_before_anything_starts(place: Place) -> None:
    with pytest.raises(CommandError, match=rf"127.0.0.1:{place.port} cannot be listened on: .* --port"):
        require_free(place.host, place.port)
    free = free_port()
    require_free("127.0.0.1", free)
    listen("127.0.0.1", free).close()


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.1.2.3", "10.1.2.3")],
)
def test_a_service_is_reached_at_an_address_of_this_machine(host: str, reached: str) -> None:
    assert reachable(host) == reached
