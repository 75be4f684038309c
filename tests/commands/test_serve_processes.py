"""`run.py serve` and the processes, ports and files that another `serve` may own."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import bentoml
import psutil
import pytest

from commands import serve
from commands.listening import listen, reachable
from commands.serve import service as services
from commands.serve import worker as workers
from commands.serve.release import Release
from commands.serve.service import Place, Service
from commands.serve.sockets import open_sockets, renewed
from commands.serve.worker import Deployment, ServiceError, Worker
from state.folder import State
from state.lock import hold
from terminal.errors import CommandError
from tests.system.workspace import free_port, wait_for
from tracking.registry import RegisteredVersion

# Stands for BentoML's worker module: it says that it is ready, and then does what the release's tag says.
WORKER = """
import os, signal, socket, sys
tag = sys.argv[1]
line = socket.socket(fileno=int(os.environ["SUPERVISOR_FD"]))
if tag.endswith("broken"):
    sys.exit(3)
line.send(b"ready " + os.environ["MODEL"].encode() + b"\\n")
said = line.recv(64)
if not said:
    sys.exit(4)
assert said == b"leave\\n", said
if tag.endswith("slow"):
    signal.pause()
"""


def release(suffix: str = "a") -> Release:
    return Release(RegisteredVersion(number="2", run_id="r", source="s", tags={}), f"shop:2-{suffix}", Path.cwd())


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place with two workers, whose processes are the stand-in above."""
    package = tmp_path / "path" / "_bentoml_impl" / "worker"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "service.py").write_text(WORKER)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "path"), "MODEL": "shop:2"}
    monkeypatch.setattr(Deployment, "prepare", lambda release, env: Deployment("shop", environment))
    port = free_port()
    return Place(tmp_path, "127.0.0.1", port, 2, open_sockets(tmp_path, "127.0.0.1", port, 2))


def ready(place: Place, suffix: str = "a") -> Service:
    service = Service(release(suffix), place)
    service.wait_until_ready(Event(), lambda: None)
    return service


def test_a_service_is_ready_when_all_its_workers_are_and_ends_with_them(place: Place) -> None:
    service = ready(place)
    pids = service.pids
    assert len(set(pids)) == 2
    service.leave()
    wait_for("they have left", service.has_left)
    service.end()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_worker_that_was_killed_is_replaced_and_the_others_stay(place: Place) -> None:
    service = ready(place)
    first, second = service.pids
    os.kill(first, signal.SIGKILL)
    wait_for("it is replaced", lambda: service.replace_ended(renew=True) == 1)
    assert service.pids[0] != first
    assert service.pids[1] == second
    service.wait_until_ready(Event(), lambda: None)
    assert service.replace_ended(renew=True) == 0
    service.end()


def test_a_worker_that_does_not_end_in_time_is_killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    service = ready(place, "slow")
    monkeypatch.setattr(workers, "_FINISH_LIMIT", 0)
    service.leave()
    wait_for("it has been killed", service.has_left)
    service.end()


def test_a_worker_that_hangs_is_killed_and_replaced(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    service = ready(place)
    hanging = set(service.pids)
    monkeypatch.setattr(workers, "_SILENCE_LIMIT", -1)
    wait_for("they are replaced", lambda: service.replace_ended(renew=True) >= 0 and hanging.isdisjoint(service.pids))
    assert not any(map(psutil.pid_exists, hanging))
    monkeypatch.undo()
    service.end()


def test_a_release_that_does_not_start_or_has_another_model_is_an_error(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix, words in (("broken", "exit code 3 while it started"), ("a", "not ready within 0 s")):
        service = Service(release(suffix), place)
        with monkeypatch.context() as patch:
            patch.setattr(services, "_START_LIMIT", 60 if suffix == "broken" else 0)
            with pytest.raises(ServiceError, match=words):
                service.wait_until_ready(Event(), lambda: None)
        service.end()
    other = Release(release().version, "shop:3-a", Path.cwd())
    service = Service(other, place)
    with pytest.raises(ServiceError, match="has the model shop:2, which is another one"):
        service.wait_until_ready(Event(), lambda: None)
    service.end()


def test_a_worker_whose_bento_has_gone_is_an_error_that_can_be_handled(place: Place) -> None:
    service = ready(place)
    os.kill(service.pids[0], signal.SIGKILL)
    gone = Release(release().version, "shop:2-a", Path("/nowhere"))
    service.release = gone
    with pytest.raises(ServiceError, match="a worker of shop:2-a cannot be started: FileNotFoundError"):
        wait_for("it has ended", lambda: service.replace_ended(renew=True) > 0)
    assert service.answers
    service.release = release()
    assert service.replace_ended(renew=True) == 1
    service.end()
    assert not service.answers


def test_the_workers_of_a_killed_serve_end_by_themselves_and_the_next_one_waits_for_them(tmp_path: Path) -> None:
    port = free_port()
    (listener,) = open_sockets(tmp_path, "127.0.0.1", port, 1)
    line, theirs = socket.socketpair()
    orphan = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"],
        pass_fds=(listener.fileno(), theirs.fileno()),
        env={**os.environ, "SUPERVISOR_FD": str(theirs.fileno()), "STATE_DIR": str(tmp_path)},
    )
    theirs.close()
    listener.close()
    with pytest.raises(CommandError):
        open_sockets(tmp_path / "of another serve", "127.0.0.1", port, 2)
    assert orphan.poll() is None, "it may be the worker of a serve that lives, with another state"
    line.close()
    sockets = open_sockets(tmp_path, "127.0.0.1", port, 2)
    assert orphan.wait() == -signal.SIGTERM
    for each in sockets:
        each.close()


def accepted(listener: socket.socket) -> int:
    """Accept the connections that wait, and return how many there were."""
    listener.setblocking(False)
    for number in count():
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return number
    raise AssertionError


def test_new_connections_are_spread_over_the_sockets_of_a_place(place: Place) -> None:
    clients = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(200)]
    numbers = [accepted(listener) for listener in place.sockets]
    assert sum(numbers) == 200
    assert min(numbers) > 40
    for client in clients:
        client.close()


def test_while_a_worker_is_replaced_new_connections_go_to_the_others(place: Place) -> None:
    service = ready(place)
    os.kill(service.pids[0], signal.SIGKILL)
    wait_for("it is replaced", lambda: service.replace_ended(renew=True) == 1)
    clients = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(50)]
    assert accepted(place.sockets[1]) == 50
    place.sockets[0].listen()  # as the new worker does when it is ready
    clients += [socket.create_connection(("127.0.0.1", place.port)) for _ in range(200)]
    assert accepted(place.sockets[0]) > 40
    for client in clients:
        client.close()
    service.end()


def test_while_the_only_worker_is_replaced_new_connections_wait_for_it(place: Place) -> None:
    alone = replace(place, workers=1, sockets=place.sockets[:1])
    place.sockets[1].close()
    service = ready(alone)
    os.kill(service.pids[0], signal.SIGKILL)
    wait_for("it is replaced", lambda: service.replace_ended(renew=True) == 1)
    socket.create_connection(("127.0.0.1", place.port)).close()
    assert accepted(alone.sockets[0]) == 1
    service.end()


def test_connections_wait_when_the_other_worker_ends_before_the_replaced_one_is_ready(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = ready(place)
    monkeypatch.setattr(Worker, "listen", lambda worker: None)  # no new one is ever ready
    for pid in service.pids:
        os.kill(pid, signal.SIGKILL)
        wait_for("it is replaced", lambda: service.replace_ended(renew=True) == 1)
    clients = [socket.create_connection(("127.0.0.1", place.port)) for _ in range(20)]
    assert accepted(place.sockets[1]) == 20
    for client in clients:
        client.close()
    service.end()


@pytest.mark.parametrize("reason", ["another service starts on them", "systemd has a copy of them"])
def test_sockets_that_others_have_too_stay_when_a_worker_is_replaced(place: Place, reason: str) -> None:
    place = replace(place, inherited=reason.startswith("systemd"))
    before = list(place.sockets)
    service = ready(place)
    os.kill(service.pids[0], signal.SIGKILL)
    wait_for("it is replaced", lambda: service.replace_ended(renew=place.inherited) == 1)
    assert place.sockets == before
    assert before[0].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    service.end()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_a_socket_of_ipv6_is_renewed_at_the_same_address() -> None:
    family, port = socket.AF_INET6, free_port()
    first = socket.create_server(("::1", port), family=family, reuse_port=True)
    fresh = renewed(first)
    assert first.fileno() == -1
    assert fresh.getsockname()[:2] == ("::1", port)
    fresh.close()


def test_sockets_that_systemd_hands_over_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = (
        "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "from commands.serve.sockets import inherited_sockets\n"
        "print([each.getsockname()[1] for each in inherited_sockets()])"
    )
    port = free_port()
    with listen("127.0.0.1", port) as given:
        # The socket has to be file descriptor 3, as systemd hands it over.
        done = subprocess.run(
            ["bash", "-c", f'exec 3<&{given.fileno()}; exec "$0" -c "$1"', sys.executable, script],
            pass_fds=(given.fileno(),),
            env={**os.environ, "LISTEN_FDS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.strip() == f"[{port}]", done.stderr


def test_a_second_serve_on_a_port_is_refused_naming_the_first(tmp_path: Path) -> None:
    state = State(tmp_path, moved=True)
    with hold(tmp_path / "serve-3000.lock", "run.py serve"):
        refused = rf"'run.py serve' \(process {os.getpid()}, since .*\) serves on port 3000 already"
        with pytest.raises(CommandError, match=refused), serve._alone_on(state, 3000):
            pass
        with serve._alone_on(state, 3001):
            pass


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    port = free_port()
    taken = rf"127.0.0.1:{port} cannot be listened on: .* --port"
    with listen("127.0.0.1", port), pytest.raises(CommandError, match=taken):
        open_sockets(tmp_path, "127.0.0.1", port, 2)
    for each in open_sockets(tmp_path, "127.0.0.1", port, 2):
        each.close()


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("10.1.2.3", "10.1.2.3")],
)
def test_a_service_is_reached_at_an_address_of_this_machine(host: str, reached: str) -> None:
    assert reachable(host) == reached


def test_bentoml_still_has_what_serve_builds_on() -> None:
    """Its worker takes a socket, and its deployment hooks are run by a function of its own."""
    from _bentoml_impl.loader import load  # type: ignore[import-untyped]
    from _bentoml_impl.server.serving import server_on_deployment  # type: ignore[import-untyped]
    from _bentoml_impl.worker.service import main  # type: ignore[import-untyped]

    options = {option for parameter in main.params for option in parameter.opts}
    command = Worker.command(release(), "shop", 3, 0)
    assert {word for word in command if word.startswith("--")} <= options
    assert callable(load)
    called: list[str] = []

    class Inner:
        @bentoml.on_deployment
        @staticmethod
        def prepare() -> None:
            called.append("prepare")

    server_on_deployment(SimpleNamespace(bento=None, models=[], inner=Inner, needs_task_db=lambda: False))
    assert called == ["prepare"]
