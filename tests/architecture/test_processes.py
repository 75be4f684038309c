"""Each process loads only what it needs: it works where the other libraries cannot be imported."""

import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from run import VERBS
from tests.monitoring.watching import alert, webhook
from tests.system.workspace import LIMIT, free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
NOT_IN_A_SERVING_PROCESS = ["zenml", "mlflow", "evidently", "great_expectations", "sklearn", "pandas", "scipy", "skops"]


def blocking(modules: list[str]) -> str:
    """The beginning of a script that cannot import these modules."""
    return f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"


def run_without(modules: list[str], script: str) -> None:
    """Run a script in a process in which these modules cannot be imported."""
    command = [sys.executable, "-c", blocking(modules) + script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_service_loads_no_training_library() -> None:
    modules = "bento.service, bento.application, bento.auth_service, bento.deployment"
    run_without(NOT_IN_A_SERVING_PROCESS, f"import {modules}")


def test_what_services_share_loads_no_database_library() -> None:
    modules = ", ".join(f"web.{path.stem}" for path in (ROOT / "web").glob("[!_]*.py"))
    run_without(["sqlalchemy", "alembic"], f"import {modules}")


WATCH = """
import commands.watch, run
# The flavor of the orchestrator; its engine has the schedule; the model; days of history.
commands.watch.call_apart = lambda *_: ["local", True, "rakuten-embedded", 365]
sys.exit(run.main(sys.argv[1:]))
"""


def test_the_monitor_service_answers_without_orchestration_and_database_libraries(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", blocking(["zenml", "mlflow", "sqlalchemy", "alembic"]) + WATCH, "watch",
         "--state", str(tmp_path), "--port", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    def is_up() -> bool:
        assert process.poll() is None, process.communicate()[0]
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).status_code == 200
        return False

    try:
        wait_for("the monitor service is up", is_up)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for token, path in (("metrics", "/metrics"), ("reports", "/"), ("reports", "/decisions")):
                secret = (tmp_path / f"{token}-token").read_text().strip()
                assert client.get(path, headers={"Authorization": f"Bearer {secret}"}).status_code == 200, path
            secret = (tmp_path / "alert-token").read_text().strip()
            ignored = webhook(alert(action="none"))
            answer = client.post("/alerts", json=ignored, headers={"Authorization": f"Bearer {secret}"})
            assert answer.status_code == 202, answer.text
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in VERBS), ["stack", "apply", "--help"]])
def test_help_needs_no_library(arguments: list[str]) -> None:
    # -S: without site-packages, so that no library can be imported.
    done = subprocess.run(
        [sys.executable, "-S", "run.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: run.py ")


def test_no_server_believes_the_address_in_a_header_by_itself() -> None:
    """uvicorn believes X-Forwarded-For from this machine unless it is told not to."""
    starts = re.compile(r"uvicorn\.(?:Config|run)\(")
    sources = [
        path for package in ("bento", "commands", "monitoring", "web") for path in (ROOT / package).rglob("*.py")
    ]
    texts = {path: text for path in sources if starts.search(text := path.read_text(encoding="utf-8"))}
    assert len(texts) >= 2
    for path, text in texts.items():
        assert "proxy_headers=False" in text, path
