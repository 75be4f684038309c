"""`run.py serve`: the service outlives faults of the registry, of a new version and of other processes."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

import run
from catalog.model_folder import Manifest
from commands.serve import release as releases
from commands.serve import supervisor as supervisors
from commands.serve.release import RefusedError, Release, next_release, prepare
from commands.serve.service import Place, ServiceError
from commands.serve.supervisor import Pulse, Supervisor
from terminal.errors import CommandError
from tests.system.workspace import free_port
from tracking.registry import RegisteredVersion


def version(number: int, **tags: str) -> RegisteredVersion:
    return RegisteredVersion(number=str(number), run_id="r", source="s", tags={"bento_tag": f"shop:{number}-a", **tags})


def release(number: int, folder: Path = Path("/nowhere"), **tags: str) -> Release:
    return Release(version(number, **tags), f"shop:{number}-a", folder)


class FakeService:
    """A service that starts and answers as a test wants it to."""

    started: ClassVar[list[str]] = []
    broken: ClassVar[set[str]] = set()
    silent: ClassVar[set[str]] = set()

    def __init__(self, release: Release) -> None:
        self.release = release
        self.exit_code: int | None = None
        self.ended = False

    @classmethod
    def start(cls, release: Release, place: Place) -> "FakeService":
        cls.started.append(release.tag)
        return cls(release)

    def wait_until_healthy(self, ended: threading.Event) -> None:
        if self.release.tag in self.broken:
            raise ServiceError(f"{self.release.tag} ended with exit code 1 while it started")

    def is_alive(self) -> bool:
        return self.release.tag not in self.silent

    @property
    def workers(self) -> frozenset[int]:
        return frozenset({1})

    def end(self) -> None:
        self.ended = True


Answer = Release | None | BaseException
Serve = Callable[..., str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Serve:
    """Serves version 1 while the registry gives these answers in turn, and returns what was printed.

    `kept` as an answer: the version that is served.
    """
    for name in ("started", "broken", "silent"):
        monkeypatch.setattr(FakeService, name, type(getattr(FakeService, name))())
    monkeypatch.setattr(supervisors, "Service", FakeService)
    monkeypatch.setattr(supervisors, "_TICK", 0.001)
    monkeypatch.setattr(supervisors, "prepare", lambda wanted: release(int(wanted.number)))
    monkeypatch.setattr(supervisors, "try_out", lambda *_: None)

    def run(*answers: Any) -> str:
        ended, rest = threading.Event(), list(answers)

        def ask(name: str, served: Release, refused: RegisteredVersion | None) -> Release | None:
            if not rest:
                ended.set()
                return served
            answer = rest.pop(0)
            answer = answer(served, refused) if callable(answer) else answer
            if isinstance(answer, BaseException):
                raise answer
            return served if answer == "kept" else answer

        monkeypatch.setattr(supervisors, "next_release", ask)
        Supervisor("shop", Place(tmp_path, "127.0.0.1", 3000), 0, ended).run(release(1))
        return capsys.readouterr().out

    return run


LOCKED = OperationalError("SELECT", {}, Exception("database is locked"))


@pytest.mark.parametrize(
    "error", [MlflowException("database is locked"), LOCKED, OSError("no route to host"), RuntimeError("any other")]
)
def test_a_registry_that_cannot_be_read_is_a_warning_once_and_the_service_goes_on(
    serve: Serve, error: Exception
) -> None:
    printed = serve("kept", error, error, error, "kept", "kept")
    assert FakeService.started == ["shop:1-a"]
    assert printed.count("cannot be read") == 1
    assert type(error).__name__ in printed
    assert printed.count("The registry can be read again.") == 1


def test_a_registry_that_never_answers_holds_up_neither_the_service_nor_its_end(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked, ended, hanging = threading.Event(), threading.Event(), threading.Event()

    def hang(*_: Any) -> None:
        asked.set()
        hanging.wait()

    monkeypatch.setattr(supervisors, "next_release", hang)
    rounds = iter(range(100))
    monkeypatch.setattr(FakeService, "is_alive", lambda self: next(rounds) < 30 or not ended.set())
    Supervisor("shop", Place(tmp_path, "127.0.0.1", 3000), 0, ended).run(release(1))
    hanging.set()
    assert asked.is_set()
    assert FakeService.started == ["shop:1-a"]
    assert capsys.readouterr().out.count("The registry or the artifact store does not answer.") == 1


def test_a_version_that_starts_replaces_the_one_that_is_served(serve: Serve) -> None:
    serve(release(2), "kept")
    assert FakeService.started == ["shop:1-a", "shop:2-a"]


def test_a_version_that_does_not_start_on_a_spare_port_leaves_the_old_one_and_is_not_tried_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def fail(wanted: Release, *_: Any) -> None:
        tried.append(wanted.version.tags.get("note", ""))
        raise ServiceError(f"{wanted.tag} ended with exit code 1 while it started: it is damaged")

    monkeypatch.setattr(supervisors, "try_out", fail)

    def registry(number: int, **tags: str) -> Callable[..., Release | None]:
        return lambda served, refused: None if version(number, **tags) == refused else release(number, **tags)

    printed = serve(registry(2), registry(2), registry(2, note="retagged"), registry(2, note="retagged"))
    assert FakeService.started == ["shop:1-a"]
    assert tried == ["", "retagged"]
    assert "Version 2 is not served: shop:2-a ended with exit code 1" in printed
    assert "it is damaged. Version 1 goes on being served." in printed
    tried.clear()
    serve(registry(2), "kept", registry(2))
    assert tried == ["", ""], "after it was taken back, it is promoted again"


def test_a_version_that_fails_on_the_port_itself_gives_it_back_to_the_old_one(serve: Serve) -> None:
    FakeService.broken.add("shop:2-a")
    printed = serve(release(2), "kept")
    assert FakeService.started == ["shop:1-a", "shop:2-a", "shop:1-a"]
    assert "Version 1 goes on being served." in printed


def test_a_version_without_an_intact_bento_is_named_and_the_old_one_goes_on(serve: Serve) -> None:
    refused = RefusedError(version(2), "its Bento is damaged: blocks.json has changed")
    printed = serve(refused, refused, "kept")
    assert FakeService.started == ["shop:1-a"]
    assert "Version 2 is not served: its Bento is damaged: blocks.json has changed. Version 1 goes on" in printed


def test_a_service_that_stays_silent_is_restarted_and_given_up_after_three_restarts(serve: Serve) -> None:
    FakeService.silent.add("shop:1-a")
    with pytest.raises(CommandError, match=r"shop:1-a has not answered 12 times in a row; 3 restarts have not helped"):
        serve(*["kept"] * 100)
    assert FakeService.started == ["shop:1-a"] * 4


def test_a_service_that_ended_is_restarted_and_given_up_with_the_reason_when_its_bento_is_lost(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(served: Release, _: Any) -> str:
        monkeypatch.setattr(FakeService, "exit_code", -9, raising=False)
        return "kept"

    def lose(_: RegisteredVersion) -> Release:
        raise RefusedError(version(1), "the Bento is nowhere")

    monkeypatch.setattr(FakeService, "__init__", lambda self, release: setattr(self, "release", release))
    monkeypatch.setattr(FakeService, "exit_code", None, raising=False)
    monkeypatch.setattr(supervisors, "prepare", lose)
    with pytest.raises(CommandError, match=r"ended with exit code -9, and its Bento cannot be put back .*nowhere"):
        serve(end, *["kept"] * 100)


def test_workers_that_end_again_and_again_are_noticed_though_others_answer() -> None:
    pulse = Pulse()
    reasons = [pulse.feel(alive=True, workers=frozenset({1, 100 + number})) for number in range(8)]
    assert reasons[:6] == [""] * 6
    assert reasons[6] == "loses its workers again and again"
    pulse = Pulse()
    rare = [pulse.feel(alive=True, workers=frozenset({1, 100 + number // 20})) for number in range(400)]
    assert set(rare) == {""}, "a worker that is replaced now and then is no crash loop"


def test_a_service_that_is_busy_for_some_rounds_is_left_alone() -> None:
    pulse = Pulse()
    assert {pulse.feel(alive=number % 12 == 0, workers=frozenset({1})) for number in range(100)} == {""}


@pytest.fixture
def bento(tmp_path: Path) -> Release:
    """A Bento with a sealed model."""
    model = tmp_path / "bento" / "src" / "model"
    model.mkdir(parents=True)
    (model / "blocks.json").write_text("[]")
    Manifest(
        name="shop", model_version="2", run_id="a", data_hash="d", scores={}, labels={1: "one"}, threshold=None,
        temperature=1.0, parameters={}, registered_at="2026-01-01T00:00:00+00:00",
    ).seal(model)  # fmt: skip
    return release(2, tmp_path / "bento")


@pytest.fixture
def restored(bento: Release, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often a Bento was asked for, and whether anew. The artifact holds what the store has."""
    asked: list[bool] = []

    def restore(tag: str, run: str | None, *, anew: bool = False) -> Path:
        asked.append(anew)
        return bento.bento

    monkeypatch.setattr("stacks.bentos.restore_bento", restore)
    return asked


def test_an_intact_bento_is_taken_as_it_is(bento: Release, restored: list[bool]) -> None:
    assert prepare(version(2)) == bento
    assert restored == [False]


@pytest.mark.parametrize("harm", ["changed", "missing", "added", "no manifest"])
def test_a_damaged_bento_is_fetched_anew_and_refused_when_the_artifact_is_damaged_too(
    bento: Release, restored: list[bool], harm: str
) -> None:
    blocks = bento.model / "blocks.json"
    {
        "changed": lambda: blocks.write_text("[ ]"),
        "missing": blocks.unlink,
        "added": lambda: (bento.model / "more").write_text(""),
        "no manifest": (bento.model / "manifest.json").unlink,
    }[harm]()
    with pytest.raises(RefusedError, match="its Bento is damaged, also in the artifact: "):
        prepare(version(2))
    assert restored == [False, True]


def test_a_version_without_a_bento_is_refused_with_a_sentence() -> None:
    untagged = RegisteredVersion(number="3", run_id="r", source="s", tags={})
    with pytest.raises(RefusedError, match="it has no Bento, since no training has promoted it"):
        prepare(untagged)


def test_the_registry_is_followed_unless_it_names_what_is_served_or_was_refused(
    monkeypatch: pytest.MonkeyPatch, bento: Release, restored: list[bool]
) -> None:
    def ask(named: RegisteredVersion | None, refused: RegisteredVersion | None = None) -> Release | None:
        monkeypatch.setattr("tracking.registry.by_alias", lambda *_: named)
        return next_release("shop", bento, refused)

    assert ask(version(2)) is bento
    assert ask(version(2, settled="a tag that does not matter")) is bento
    assert ask(None) is bento, "no version is in production any more: what is served goes on"
    assert ask(version(3)) == Release(version(3), "shop:3-a", bento.bento)
    assert ask(version(3), refused=version(3)) is None
    assert ask(version(3, note="retagged"), refused=version(3)) is not None


def test_a_bento_that_vanished_while_it_is_served_is_put_back(
    monkeypatch: pytest.MonkeyPatch, bento: Release, restored: list[bool]
) -> None:
    monkeypatch.setattr("tracking.registry.by_alias", lambda *_: version(2))
    next_release("shop", bento, None)
    assert restored == []
    (bento.model / "manifest.json").rename(bento.bento / "gone")
    monkeypatch.setattr(releases, "_damage", lambda _: "")
    next_release("shop", bento, None)
    assert restored == [False]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (MlflowException("database is locked"), "the registry cannot be read (MlflowException: database is locked)"),
        (LOCKED, "the registry cannot be read (OperationalError: "),
        (
            RegisteredVersion(number="3", run_id="r", source="s", tags={}),
            "version 3 is in production and cannot be served: it has no Bento, since no training has promoted it; "
            "'python run.py rollback' returns to the version before",
        ),
    ],
)
def test_a_start_that_cannot_succeed_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: Any, said: str
) -> None:
    def in_production(_: str) -> RegisteredVersion:
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("stacks.active.connect_tracker", lambda **_: None)
    monkeypatch.setattr("tracking.registry.in_production", in_production)
    assert run.main(["serve", "--embedded", "--port", str(free_port())]) == 1
    assert said in capsys.readouterr().err
