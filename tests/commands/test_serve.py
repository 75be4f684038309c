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
from commands.serve.service import Place
from commands.serve.supervisor import Supervisor
from commands.serve.worker import ServiceError
from terminal.errors import CommandError
from tests.system.workspace import free_port
from tracking.registry import RegisteredVersion


def version(number: int, **tags: str) -> RegisteredVersion:
    return RegisteredVersion(number=str(number), run_id="r", source="s", tags={"bento_tag": f"shop:{number}-a", **tags})


def release(number: int, folder: Path = Path("/nowhere"), **tags: str) -> Release:
    return Release(version(number, **tags), f"shop:{number}-a", folder)


class FakeService:
    """A service whose workers start and end as a test wants it to."""

    all: ClassVar[list["FakeService"]] = []
    broken: ClassVar[dict[str, str]] = {}  # tag -> why it does not start
    losing: ClassVar[set[str]] = set()  # tags of services that lose a worker at every look
    without_bento: ClassVar[set[str]] = set()  # tags whose Bento has gone: no worker can be started
    starting: ClassVar[bool] = False  # whether one of them starts now
    silent: ClassVar[set[str]] = set()  # tags of services that have no worker any more

    def __init__(self, release: Release, place: Place) -> None:
        self.release = release
        self.is_ready = self.was_asked_to_leave = self.has_ended = False
        self.all.append(self)

    def wait_until_ready(self, ended: threading.Event, meanwhile: Callable[[], object]) -> None:
        FakeService.starting = True
        meanwhile()
        FakeService.starting = False
        if why := self.broken.get(self.release.tag):
            raise ServiceError(why)
        self.is_ready = True

    def replace_ended(self, *, renew: bool) -> int:
        assert renew is not FakeService.starting, "the sockets stay while another service starts on them"
        if self.release.tag in self.without_bento:
            raise ServiceError(f"a worker of {self.release.tag} cannot be started: FileNotFoundError")
        return int(self.release.tag in self.losing)

    def leave(self) -> None:
        assert self.all[-1].is_ready, "another one takes requests already"
        self.was_asked_to_leave = True

    def has_left(self) -> bool:
        return False

    @property
    def answers(self) -> bool:
        return self.release.tag not in self.silent

    @property
    def is_complete(self) -> bool:
        return self.answers

    def ask_to_end(self) -> None:
        pass

    def end(self) -> None:
        self.has_ended = True


def started() -> list[str]:
    return [service.release.tag for service in FakeService.all]


Serve = Callable[..., str]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Serve:
    """Serves version 1 while the registry gives these answers in turn, and returns what was printed.

    `kept` as an answer: the version that is served.
    """
    for name in ("all", "broken", "losing", "without_bento", "silent"):
        monkeypatch.setattr(FakeService, name, type(getattr(FakeService, name))())
    monkeypatch.setattr(FakeService, "starting", False)
    monkeypatch.setattr(supervisors, "Service", FakeService)
    monkeypatch.setattr(supervisors, "_TICK", 0.001)
    monkeypatch.setattr(supervisors, "prepare", lambda wanted: release(int(wanted.number)))

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
        try:
            Supervisor("shop", Place(tmp_path, "127.0.0.1", 3000, workers=1), 0, ended).run(release(1))
        finally:
            assert all(service.has_ended for service in FakeService.all if not service.was_asked_to_leave)
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
    assert started() == ["shop:1-a"]
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

    looks = iter(range(1_000))

    def look(_: FakeService, *, renew: bool) -> int:
        if next(looks) > 30:
            ended.set()
        return 0

    monkeypatch.setattr(supervisors, "next_release", hang)
    monkeypatch.setattr(FakeService, "replace_ended", look)
    Supervisor("shop", Place(tmp_path, "127.0.0.1", 3000, workers=1), 0, ended).run(release(1))
    hanging.set()
    assert asked.is_set()
    assert started() == ["shop:1-a"]
    assert capsys.readouterr().out.count("The registry or the artifact store does not answer.") == 1


def test_a_version_that_is_ready_takes_over_and_the_old_one_leaves(serve: Serve) -> None:
    serve(release(2), "kept")
    old, new = FakeService.all
    assert (old.release.tag, new.release.tag) == ("shop:1-a", "shop:2-a")
    assert old.was_asked_to_leave
    assert not new.was_asked_to_leave


def test_a_version_that_does_not_start_leaves_the_old_one_and_is_tried_again_when_its_record_changes(
    serve: Serve,
) -> None:
    FakeService.broken["shop:2-a"] = "shop:2-a does not start: it is damaged"

    def registry(number: int, **tags: str) -> Callable[..., Release | None]:
        return lambda served, refused: None if version(number, **tags) == refused else release(number, **tags)

    printed = serve(registry(2), registry(2), registry(2, note="retagged"), registry(2, note="retagged"))
    assert started() == ["shop:1-a", "shop:2-a", "shop:2-a"]
    assert not FakeService.all[0].was_asked_to_leave
    assert "Version 2 is not served: shop:2-a does not start: it is damaged. Version 1 goes on being served." in printed
    FakeService.all.clear()
    serve(registry(2), "kept", registry(2))
    assert started() == ["shop:1-a", "shop:2-a", "shop:2-a"], "after it was taken back, it is promoted again"


def test_a_version_without_an_intact_bento_is_named_and_the_old_one_goes_on(serve: Serve) -> None:
    refused = RefusedError(version(2), "its Bento is damaged: blocks.json has changed")
    printed = serve(refused, refused, "kept")
    assert started() == ["shop:1-a"]
    assert "Version 2 is not served: its Bento is damaged: blocks.json has changed. Version 1 goes on" in printed


def test_a_service_that_loses_its_workers_again_and_again_is_started_anew_and_given_up_after_three_times(
    serve: Serve,
) -> None:
    FakeService.losing.add("shop:1-a")
    with pytest.raises(CommandError, match=r"loses its workers again and again; 3 restarts have not helped"):
        serve(*["kept"] * 100)
    assert started() == ["shop:1-a"] * 4


def test_it_is_given_up_with_the_reason_when_its_bento_is_lost(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(_: RegisteredVersion) -> Release:
        raise RefusedError(version(1), "the Bento is nowhere")

    FakeService.losing.add("shop:1-a")
    monkeypatch.setattr(supervisors, "prepare", lose)
    with pytest.raises(CommandError, match=r"again and again, and its Bento cannot be put back .*nowhere"):
        serve(*["kept"] * 100)


def test_a_worker_that_cannot_be_replaced_is_said_once_and_the_others_go_on(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(served: Release, _: Any) -> str:
        FakeService.without_bento.add(served.tag)
        return "kept"

    printed = serve(lose, *["kept"] * 20)
    assert started() == ["shop:1-a"]
    assert printed.count("A worker cannot be replaced") >= 1

    def lose_all(served: Release, _: Any) -> str:
        FakeService.silent.add(served.tag)
        return "kept"

    monkeypatch.setattr(supervisors, "prepare", lambda _: FakeService.without_bento.clear() or release(1))
    FakeService.all.clear()
    FakeService.without_bento.clear()
    assert "has lost all workers: its Bento is put back" in serve(lose_all, lose, *["kept"] * 20)
    assert started() == ["shop:1-a"] * 2


def test_a_version_that_was_refused_before_another_one_was_served_is_tried_again(serve: Serve) -> None:
    FakeService.broken["shop:2-a"] = "it is damaged"

    def registry(number: int) -> Callable[..., Release | None]:
        return lambda served, refused: None if version(number) == refused else release(number)

    serve(registry(2), registry(3), registry(2))
    assert started() == ["shop:1-a", "shop:2-a", "shop:3-a", "shop:2-a"]


def test_a_worker_that_ends_now_and_then_is_replaced_and_no_more(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter(range(1, 10_000))
    monkeypatch.setattr(supervisors, "_STEADY", 0)
    monkeypatch.setattr(FakeService, "replace_ended", lambda self, *, renew: int(next(looks) % 5 == 0))
    printed = serve(*["kept"] * 50)
    assert started() == ["shop:1-a"]
    assert "1 of the workers of shop:1-a ended and will be replaced." in printed
    assert "All workers of shop:1-a take requests again." in printed


@pytest.fixture
def bento(tmp_path: Path) -> Release:
    """A Bento with a sealed model."""
    model = tmp_path / "bento" / "src" / "model"
    model.mkdir(parents=True)
    (model / "blocks.json").write_text("[]")
    Manifest(
        name="shop", model_version="2", run_id="a", data_hash="d", scores={}, labels={1: "one"}, threshold=None,
        usual_score=None, abstains_on_novelty=False,
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
