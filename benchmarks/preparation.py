"""How the services of the serving benchmark are prepared."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.contestants import Contestant
from benchmarks.processes import ROOT, Service, ServiceError, run
from state.environment import QUIET
from state.folder import State

_BENTOML_WORKER = "_bentoml_impl.worker"
_BENTOML_SERVE = (str(Path(sys.prefix) / "bin" / "bentoml"), "serve")
_ADDRESS = ("--host", "127.0.0.1", "--port", "{port}")


def prepare_stand_in(folder: Path, size: int, password: str, endpoint: str) -> Contestant:
    """Train the stand-in and return it; its endpoint is a `def` or an `async def`. Raises `ServiceError`."""
    folder.mkdir()
    module = (sys.executable, "-m", "benchmarks.replaced_service")
    run([*module, "train", str(folder), "--size", str(size)], folder, {})
    # It does not run in the folder of its source, so Python finds the source by PYTHONPATH.
    environment = {"ADMIN_PASSWORD": password, "PYTHONPATH": str(ROOT)}
    command = [*module, "serve", str(folder), "--port", "{port}", "--endpoint", endpoint]
    name = "stand-in" if endpoint == "def" else f"stand-in, {endpoint}"
    return Contestant(Service(name, command, folder, environment))


def train_bento(folder: Path, size: int) -> str:
    """Run the main job in a fresh state folder and return the tag of its Bento. Raises `ServiceError`."""
    folder.mkdir()
    outcome_file = folder / "outcome.json"
    command = [sys.executable, "run.py", "--state", str(folder), "--size", str(size), "--json", str(outcome_file)]
    run(command, folder, QUIET)
    outcome = json.loads(outcome_file.read_text(encoding="utf-8"))
    if not outcome["bento_tag"]:
        raise ServiceError(f"there is no Bento to serve: {outcome['reason']}")
    return str(outcome["bento_tag"])


def prepare_served(folder: Path, training: Path, workers: int, password: str, every: float = 3_600) -> Contestant:
    """Return the Bento in production of a state folder as `run.py serve` serves it, with a ledger of its own.

    `every`: seconds between two looks at the registry.
    """
    folder.mkdir()
    ledger = folder / "ledger.db"
    command = [
        sys.executable, str(ROOT / "run.py"), "serve", "--state", str(training), "--port", "{port}",
        "--workers", str(workers), "--every", str(every),
    ]  # fmt: skip
    service = Service(
        name=f"run.py serve, {_count(workers)}",
        command=command,
        folder=folder,
        environment={**QUIET, "DATABASE_URL": f"sqlite:///{ledger}", "ADMIN_PASSWORD": password},
        workers=workers,
        worker_mark=_BENTOML_WORKER,
    )
    return Contestant(service, ledger)


def prepare_bento(folder: Path, training: Path, tag: str, workers: int, password: str) -> Contestant:
    """Return the Bento as `bentoml serve` serves it."""
    command = [*_BENTOML_SERVE, tag, *_ADDRESS]
    return _with_state(folder, f"bentoml serve, {_count(workers)}", command, training, workers, password)


def prepare_constant(folder: Path, training: Path, tag: str, workers: int, password: str) -> Contestant:
    """Return the service with a constant answer, in workers as those of `run.py serve`."""
    command = [sys.executable, "-m", "benchmarks.workers", "benchmarks.constant_service:ProductTypes"]
    command += ["--port", "{port}", "--workers", str(workers)]
    name = f"constant answer, {_count(workers)}"
    contestant = _with_model(_with_state(folder, name, command, training, workers, password), training, tag)
    return replace(contestant, classifies=False)


def prepare_bare(folder: Path, workers: int) -> Contestant:
    """Return the server alone, with a constant answer."""
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.bare_server", "--port", "{port}", "--workers", str(workers)]
    environment = {"PYTHONPATH": str(ROOT)}
    service = Service(f"bare server, {_count(workers)}", command, folder, environment, workers, "spawn_main")
    return Contestant(service, classifies=False)


def prepare_checkout(folder: Path, training: Path, tag: str, password: str, *, direct_inserts: bool) -> Contestant:
    """Return the service of this checkout with the model of a Bento and one worker, with or without direct inserts."""
    module = "bento.service" if direct_inserts else "benchmarks.batched_service"
    name = "direct inserts" if direct_inserts else "batches only"
    command = [*_BENTOML_SERVE, f"{module}:ProductTypes", "--working-dir", str(ROOT), *_ADDRESS]
    return _with_model(
        _with_state(folder / name.replace(" ", "-"), name, command, training, 1, password), training, tag
    )


def model_of(training: Path, tag: str) -> Path:
    """Return the model folder of a Bento in the store of a state folder."""
    bento, version = tag.split(":")
    return training / "bentoml" / "bentos" / bento / version / "src" / "model"


def _with_state(folder: Path, name: str, command: list[str], training: Path, workers: int, password: str) -> Contestant:
    """Return a service of BentoML workers with a state of its own and the Bento store of `training`."""
    state = State(folder, moved=True)
    state.prepare()
    environment = {**QUIET, **state.exports(), "BENTOML_HOME": str(training / "bentoml"), "PYTHONPATH": str(ROOT)}
    environment |= {"WORKERS": str(workers), "ADMIN_PASSWORD": password}
    return Contestant(
        Service(name, command, state.folder, environment, workers, _BENTOML_WORKER), state.folder / "ledger.db"
    )


def _with_model(contestant: Contestant, training: Path, tag: str) -> Contestant:
    environment = {**contestant.service.environment, "MODEL_DIR": str(model_of(training, tag))}
    return replace(contestant, service=replace(contestant.service, environment=environment))


def _count(workers: int) -> str:
    return f"{workers} worker{'s' if workers > 1 else ''}"
