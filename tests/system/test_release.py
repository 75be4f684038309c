"""Versions that replace each other under load, in `run.py serve`: no request is refused, none is lost."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from mlflow import MlflowClient

from tests.system.bentos import LISTING
from tests.system.service import Service, serving, version_on, wait_for_line
from tests.system.snapshots import Snapshot
from tests.system.workspace import LIMIT, ROOT, Workspace, wait_for

pytestmark = pytest.mark.serving
CONNECTIONS, SWITCHES = 64, 20
# Moves the alias to each version that is named on standard input, as a promotion or a rollback does.
SWITCH = """
import sys
import mlflow
from stacks.active import connect_tracker
connect_tracker(quiet=True)
for number in sys.stdin:
    mlflow.MlflowClient().set_registered_model_alias("rakuten-embedded", "production", number.strip())
    print("moved", flush=True)
"""


@dataclass
class SteadyLoad:
    """Connections that ask without a pause. `acknowledged`: prediction id -> the version that answered."""

    service: Service
    acknowledged: dict[str, str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    _ended: bool = False

    async def run(self, switch: "asyncio.Future[None]") -> None:
        """Ask until the switching has ended."""
        token = self.service.token()
        tasks = [asyncio.create_task(self._ask(token)) for _ in range(CONNECTIONS)]
        try:
            await switch
        finally:
            self._ended = True
            await asyncio.gather(*tasks)

    async def _ask(self, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            base_url=self.service.url, headers=headers, timeout=LIMIT, trust_env=False
        ) as client:
            while not self._ended:
                try:
                    answer = await client.post("/predict", json=LISTING)
                except httpx.HTTPError as error:
                    self.failures[type(error).__name__] += 1
                    continue
                if answer.status_code == 200:
                    content = answer.json()
                    self.acknowledged[content["prediction_id"]] = content["model_version"]
                else:
                    self.failures[str(answer.status_code)] += 1


@contextmanager
def switcher(workspace: Workspace) -> Iterator["subprocess.Popen[str]"]:
    script = workspace.folder / "switch.py"
    script.write_text(SWITCH)
    process = subprocess.Popen(
        [sys.executable, str(script)], env={**workspace.environment(), "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def two_versions(one_version: Snapshot, tmp_path: Path) -> Workspace:
    workspace = one_version.copied_to(Workspace(tmp_path))
    done = workspace.run("--size", "1000", "--new-baseline")
    assert done.returncode == 0, done.stdout + done.stderr
    return workspace


def stored(workspace: Workspace) -> dict[str, str]:
    with closing(sqlite3.connect(workspace.state / "ledger.db")) as connection:
        return dict(connection.execute("SELECT id, model_version FROM predictions"))


def test_twenty_promotions_and_rollbacks_under_load_refuse_no_request(two_versions: Workspace) -> None:
    with (
        serving(two_versions, "--workers", "2", "--every", "0.5") as service,
        switcher(two_versions) as switch,
    ):
        service.wait_for_version("2")
        load = SteadyLoad(service)

        def switch_versions() -> None:
            assert switch.stdin
            assert switch.stdout
            for number in range(SWITCHES):
                version = str(1 + number % 2)
                switch.stdin.write(f"{version}\n")
                switch.stdin.flush()
                assert switch.stdout.readline() == "moved\n"
                wait_for(
                    f"version {version} answers alone",
                    lambda wanted=version: {version_on(service.port) for _ in range(8)} == {wanted},  # type: ignore[misc]
                )

        async def both() -> None:
            loop = asyncio.get_running_loop()
            await load.run(loop.run_in_executor(None, switch_versions))

        asyncio.run(both())
    assert not load.failures
    assert set(load.acknowledged.values()) == {"1", "2"}
    kept = stored(two_versions)
    assert {number: kept.get(number) for number in load.acknowledged} == load.acknowledged


def test_a_killed_worker_is_replaced_while_the_others_answer(two_versions: Workspace) -> None:
    with serving(two_versions, "--workers", "2") as service:
        wait_for_line(service.process, "Serving ")  # both take requests; one that dies before that ends the start
        first, second = (psutil.Process(int(pid)) for pid in service.children())
        first.kill()
        wait_for("it is replaced", lambda: len(set(service.children()) - {str(first.pid), str(second.pid)}) == 1)
        assert second.is_running()
        for _ in range(20):  # new connections to both
            assert version_on(service.port) == "2"


def test_the_workers_of_a_killed_serve_end_and_the_next_serve_takes_the_port(two_versions: Workspace) -> None:
    with serving(two_versions, "--workers", "2") as service:
        service.wait_for_version("2")
        workers = [psutil.Process(int(pid)) for pid in service.children()]
        service.process.kill()
        service.process.communicate()
        psutil.wait_procs(workers, timeout=LIMIT)
        assert not any(worker.is_running() for worker in workers)


def test_a_service_goes_on_while_the_registry_is_locked_or_names_what_cannot_be_served(
    one_version: Snapshot, workspace: Workspace
) -> None:
    one_version.copied_to(workspace)
    (database,) = workspace.state.rglob("mlflow.db")
    registry = MlflowClient(tracking_uri=f"sqlite:///{database}", registry_uri=f"sqlite:///{database}")
    name, _, first = one_version.outcome["bento_tag"].partition(":")
    home = workspace.state / "bentoml" / "bentos" / name

    def promote(bento: str, code: str = "") -> None:
        """Put a new version into production, with a copy of the first one's Bento whose code does this first."""
        if bento:
            shutil.copytree(home / first, home / bento)
            record = home / bento / "bento.yaml"
            record.chmod(0o644)
            record.write_text(record.read_text().replace(f"version: {first}", f"version: {bento}"))
            module = home / bento / "src" / "bento" / "service.py"
            module.chmod(0o644)
            module.write_text(f"{code}\n{module.read_text()}")
        added = registry.create_model_version(
            name, str(workspace.folder), tags={"bento_tag": f"{name}:{bento}"} if bento else {}
        )
        registry.set_registered_model_alias(name, "production", added.version)

    with serving(workspace, "--every", "0.5") as service:
        wait_for_line(service.process, "Serving")
        supervised = service.children()
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            wait_for_line(service.process, "The registry or the artifact store")
        wait_for_line(service.process, "The registry can be read again.")
        promote("")
        wait_for_line(service.process, "Version 2 is not served: it has no Bento")
        broken = "1-broken"
        promote(broken, "raise SystemExit('error: it is broken')")
        wait_for_line(service.process, "Version 3 is in production now")
        wait_for_line(service.process, f"Version 3 is not served: {name}:{broken} does not start: it is broken")
        assert version_on(service.port) == "1"
        assert service.children() == supervised, "the service has never been touched"
        promote("1-whole")
        wait_for_line(service.process, f"Serving {name}:1-whole")
        assert service.children() != supervised
