"""The built Bento as people run it: `bentoml serve`, from nothing but the exported archive."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest

from catalog.synthetic import generate
from tests.postgres import postgresql_server
from tests.system.bentos import LISTING, PASSWORD, Load, Server, served
from tests.system.workspace import ROOT, Workspace, free_port, wait_for, without_network

pytestmark = pytest.mark.serving


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("trained"))
    done = workspace.run("--size", "3000", "--json", str(workspace.folder / "outcome.json"))
    assert done.returncode == 0, done.stderr
    return workspace


@pytest.fixture(scope="module")
def tag(trained: Workspace) -> str:
    value: str = json.loads((trained.folder / "outcome.json").read_text())["bento_tag"]
    return value


@pytest.fixture
def server(trained: Workspace, tag: str, tmp_path: Path) -> Iterator[Server]:
    """The Bento in an empty BENTOML_HOME, in an empty folder; not started yet."""
    home = tmp_path / "bentoml"
    bentoml = str(Path(sys.executable).parent / "bentoml")
    archive = str(tmp_path / "archive.bento")
    for command, place in (("export", trained.state / "bentoml"), ("import", home)):
        environment = {**os.environ, "BENTOML_HOME": str(place), "BENTOML_DO_NOT_TRACK": "True"}
        arguments = [tag, archive] if command == "export" else [archive]
        subprocess.run([bentoml, command, *arguments], env=environment, check=True, capture_output=True)
    (tmp_path / "shop").mkdir()
    server = Server(tmp_path / "shop", tag, home)
    yield server
    server.stop()


def stored(server: Server) -> set[str]:
    with sqlite3.connect(server.state / "ledger.db") as connection:
        return {row[0] for row in connection.execute("select id from predictions")}


def test_a_first_start_in_an_empty_folder_makes_keys_and_shows_the_password_once(server: Server) -> None:
    server.start()
    password = server.first_password()
    assert (server.state / "admin-password").read_text().strip() == password
    for name in ("admin-password", "jwt-secret", "metrics-token", "ledger.db"):
        assert (server.state / name).stat().st_mode & 0o777 == 0o600, name
    me = server.client().get("/me").json()
    assert (me["username"], me["role"]) == ("admin", "admin")
    server.stop()
    server.start()
    assert server.log.read_text().count(password) == 1
    assert server.client().get("/me").status_code == 200
    assert (server.state / "jwt-secret").read_text().strip() not in server.log.read_text()


def test_it_reaches_out_for_nothing(server: Server) -> None:
    attempts = server.folder / "attempts.log"
    server.variables |= without_network(server.folder, attempts)
    server.start()
    assert server.client().post("/predict", json=LISTING).status_code == 200
    server.stop()
    assert not attempts.exists(), attempts.read_text()


def test_it_listens_on_loopback_only(server: Server) -> None:
    server.start()
    listening = [
        connection.laddr.ip
        for process in server.family()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == server.port
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_it_answers_over_http_exactly_as_the_trained_model(server: Server, trained: Workspace) -> None:
    script = (
        "import sys, numpy as np, pandas as pd; from zenml.utils.source_utils import set_custom_source_root; "
        "set_custom_source_root('.'); from stacks.active import connect_tracker; connect_tracker(); "
        "from tracking.model_files import load_classifier; from tracking.registry import by_alias; "
        "v = by_alias('rakuten-embedded', 'production'); "
        "m = load_classifier(v.source); f = pd.read_parquet(sys.argv[1]); p = m.predict_proba(f); "
        "np.savez(sys.argv[2], codes=m.classes_[p.argmax(axis=1)], confidence=p.max(axis=1))"
    )
    frame = generate(500, seed=77)[["designation", "description"]]
    rows, answers = server.folder / "rows.parquet", server.folder / "answers.npz"
    frame.to_parquet(rows)
    subprocess.run(
        [sys.executable, "-c", script, str(rows), str(answers)], cwd=ROOT, env=trained.environment(), check=True
    )
    expected = np.load(answers)
    client = server.start().client()
    listings = json.loads(frame.to_json(orient="records"))
    results = client.post("/predict/batch", json={"listings": listings}).json()["results"]
    given = pd.DataFrame([entry["prediction"] for entry in results])
    assert (given["predicted_code"].to_numpy() == expected["codes"]).all()
    assert np.abs(given["confidence"].to_numpy() - expected["confidence"]).max() < 1e-4
    for listing, code in zip(listings[:50], expected["codes"][:50], strict=True):
        assert client.post("/predict", json=listing).json()["predicted_code"] == code


def test_a_worker_holds_no_training_library_and_fits_in_200_megabytes(server: Server) -> None:
    client = server.start().client()
    listings = json.loads(generate(4_000, seed=5)[["designation", "description"]].to_json(orient="records"))
    for first in range(0, len(listings), 1_000):
        answer = client.post("/predict/batch", json={"listings": listings[first : first + 1_000]})
        assert answer.status_code == 200
    (worker,) = server.workers()
    maps = Path(f"/proc/{worker.pid}/maps").read_text()
    for library in ("sklearn", "zenml", "mlflow", "pandas", "scipy", "pyarrow", "great_expectations", "evidently"):
        assert f"/{library}/" not in maps
    assert worker.memory_info().rss < 200 * 2**20


def test_two_workers_count_throttle_and_store_as_one(server: Server) -> None:
    server.variables["WORKERS"] = "2"
    client = server.start().client()
    assert len(server.workers()) == 2
    acknowledged = set()
    for _ in range(60):  # a new connection each, so that both take part
        answer = httpx.post(f"{server.url}/predict", json=LISTING, headers=client.headers, timeout=10)
        acknowledged.add(answer.json()["prediction_id"])
    assert stored(server) == acknowledged
    token = (server.state / "metrics-token").read_text().strip()
    page = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {token}"}).text
    assert 'http_requests_total{method="POST",route="/predict",status="200"} 60.0' in page
    assert "http_requests_in_flight 1.0" in page
    wrong = [
        httpx.post(
            f"{server.url}/login", data={"username": "ulf", "password": f"guess-{number}"}, timeout=10,
            headers={"X-Forwarded-For": f"198.51.100.{number}"},  # no proxy is trusted: it changes nothing
        ).status_code
        for number in range(12)
    ]  # fmt: skip
    assert wrong == [401] * 5 + [429] * 7
    written = [server.state, *server.state.rglob("*")]
    assert not [path for path in written if path.lstat().st_mode & 0o077], "others may read what the workers write"


@pytest.mark.parametrize("victim", ["a worker killed", "everything killed", "SIGTERM"])
def test_nothing_that_was_acknowledged_is_lost(server: Server, victim: str) -> None:
    server.variables["WORKERS"] = "2"
    server.start()
    with Load(server) as load:
        wait_for("some predictions", lambda: len(load.acknowledged) > 100)
        if victim == "a worker killed":
            before = len(load.acknowledged)
            server.workers()[0].send_signal(signal.SIGKILL)
            wait_for("it goes on", lambda: len(load.acknowledged) > before + 200)
            wait_for("the dead worker is replaced", lambda: len(server.workers()) == 2)
        else:
            server.stop(signal.SIGKILL if victim == "everything killed" else signal.SIGTERM)
    assert load.statuses <= {200, 503}
    assert set(load.acknowledged) <= stored(server)
    assert len(load.acknowledged) > 100
    if victim != "a worker killed":
        server.start()
        assert set(load.acknowledged) <= stored(server)


def test_acknowledged_feedback_survives_a_kill(server: Server) -> None:
    client = server.start().client()
    client.post("/predict", json=LISTING)
    answer = client.post("/feedback", json={"correct_code": 10}).json()
    server.stop(signal.SIGKILL)
    with sqlite3.connect(server.state / "ledger.db") as connection:
        assert connection.execute("select id, correct_code, role from feedback").fetchall() == [
            (answer["feedback_id"], 10, "admin")
        ]


def refused(server: Server) -> str:
    """Start, which must fail, and return what was said."""
    process = server.begin()
    assert process.wait(60) != 0
    said = server.log.read_text()
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("name", ["coefficients.npy", "terms-0.txt", "manifest.json"])
def test_a_changed_byte_refuses_to_serve(server: Server, name: str) -> None:
    (path,) = server.bentoml_home.rglob(f"model/{name}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    said = refused(server)
    assert "error: " in said
    assert str(path.parent) in said


def test_production_refuses_to_start_without_its_secrets(server: Server) -> None:
    server.variables["APP_ENV"] = "production"
    assert "METRICS_TOKEN must be set with APP_ENV=production" in refused(server)
    strong = "9f2c41d07a6b4e0f8d13c5a7b2e46f901122334455667788"
    server.variables |= {"METRICS_TOKEN": strong, "JWT_SECRET": strong}
    assert "ADMIN_PASSWORD must be set" in refused(server)
    assert not (server.state / "admin-password").exists()
    server.variables["ADMIN_PASSWORD"] = "password-password"
    assert "easily guessed" in refused(server)
    server.variables["ADMIN_PASSWORD"] = PASSWORD
    server.start()
    assert server.client().get("/me").status_code == 200
    assert PASSWORD not in server.log.read_text()


def test_a_database_that_does_not_answer_is_named_without_its_password(server: Server) -> None:
    server.variables["DATABASE_URL"] = f"postgresql://shop:hunter2@127.0.0.1:{free_port()}/shop"
    said = refused(server)
    assert "error: the ledger at postgresql+psycopg://shop:***@127.0.0.1" in said
    assert "hunter2" not in said


def test_it_serves_from_the_checkout_too(server: Server) -> None:
    server.tag, server.directory = "bento.service:ProductTypes", ROOT
    server.variables["STATE_DIR"] = str(server.state)
    server.start()
    assert server.client().post("/predict", json=LISTING).json()["predicted_code"] == 2583


def test_from_a_checkout_without_a_model_the_next_step_is_told(server: Server) -> None:
    server.tag, server.directory = "bento.service:ProductTypes", ROOT
    server.variables["STATE_DIR"] = str(server.state)
    shutil.rmtree(server.bentoml_home)
    assert "train one with 'python run.py'" in refused(server)


def test_on_postgresql_an_outage_is_waited_out(server: Server) -> None:
    with postgresql_server() as cluster:
        server.variables |= {"DATABASE_URL": cluster.url, "WORKERS": "2", "ADMIN_PASSWORD": PASSWORD}
        client = server.start().client()
        assert client.post("/predict", json=LISTING).status_code == 200
        cluster.stop()
        answer = client.post("/predict", json=LISTING)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert client.post("/predict/batch", json={"listings": [LISTING]}).status_code == 503
        assert client.post("/feedback", json={"correct_code": 10}).status_code == 503
        assert httpx.post(f"{server.url}/login", data={"username": "admin", "password": PASSWORD}).status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200
        cluster.start()
        wait_for("it is ready again", lambda: client.get("/readyz").status_code == 200, 20)
        assert client.post("/predict", json=LISTING).status_code == 200
        server.stop()


def test_auth_apart_signs_and_revokes_for_a_service_that_has_only_its_public_key(
    server: Server, trained: Workspace, tmp_path: Path
) -> None:
    port = free_port()
    service_token = "aa11bb22cc33dd44-for-the-list-of-revocations"
    environment = {**os.environ, "AUTH_SERVICE_TOKEN": service_token, "ADMIN_PASSWORD": PASSWORD}
    auth = subprocess.Popen(
        [sys.executable, "run.py", "auth", "--port", str(port), "--state", str(tmp_path / "auth")], cwd=ROOT,
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for("auth is ready", lambda: answers(f"{url}/readyz"))
        server.variables |= {"AUTH_URL": url, "AUTH_SERVICE_TOKEN": service_token}
        server.start()
        assert not (server.state / "jwt-secret").exists()

        def log_in(username: str) -> dict[str, str]:
            answer = httpx.post(f"{url}/login", data={"username": username, "password": PASSWORD}).raise_for_status()
            return {"Authorization": f"Bearer {answer.json()['access_token']}"}

        admin = log_in("admin")
        new = {"username": "ulf", "password": PASSWORD}
        assert httpx.post(f"{url}/users", headers=admin, json=new).status_code == 201
        user = log_in("ulf")
        predict = f"{server.url}/predict"
        assert httpx.post(predict, headers=user, json=LISTING).status_code == 200
        assert httpx.delete(f"{url}/users/ulf", headers=admin).status_code == 204
        begun = time.monotonic()
        wait_for(
            "the deleted user is out", lambda: httpx.post(predict, headers=user, json=LISTING).status_code == 401, 60
        )
        assert time.monotonic() - begun < 60
        assert httpx.post(predict, headers=admin, json=LISTING).status_code == 200
    finally:
        auth.terminate()
        output = "".join(auth.communicate(timeout=30))
    assert PASSWORD not in output


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_purge_removes_what_is_older_than_it_may_be(server: Server) -> None:
    client = server.start().client()
    old, young = (client.post("/predict", json=LISTING).json()["prediction_id"] for _ in range(2))
    with sqlite3.connect(server.state / "ledger.db") as connection:
        connection.execute("update predictions set created_at = '2020-01-01 00:00:00.000000' where id = ?", (old,))
    purge = [sys.executable, "run.py", "purge", "--state", str(server.state), "--older-than"]
    done = subprocess.run([*purge, "90d"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r"predictions in the ledger +1 ", done.stdout)
    assert stored(server) == {young}
    wrong = subprocess.run([*purge, "soon"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (wrong.returncode, "as 90d, 12w or 36h" in wrong.stderr) == (1, True)


def test_a_request_that_is_never_finished_is_closed(server: Server) -> None:
    server.variables["BODY_TIMEOUT_SECONDS"] = "1"
    client = server.start().client()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nAuthorization: {client.headers['authorization']}\r\n"
        slow.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{".encode())
        assert slow.recv(1_000).startswith(b"HTTP/1.1 408")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as large:  # BentoML's worker has our limits
        large.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 100_000)
        assert large.recv(1_000).startswith(b"HTTP/1.1 431")


def test_memory_stays_flat_under_load(server: Server) -> None:
    """Five minutes by default; SOAK_SECONDS says otherwise."""
    seconds = float(os.environ.get("SOAK_SECONDS", "300"))
    server.variables["ADMIN_PASSWORD"] = PASSWORD
    server.start()
    (worker,) = server.workers()
    sizes = []
    with Load(server, threads=6) as load:
        time.sleep(min(30, seconds / 4))  # caches fill
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            sizes.append(worker.memory_info().rss / 2**20)
            time.sleep(seconds / 60)
    assert len(load.acknowledged) > 10 * seconds
    assert load.statuses == {200}
    first, last = np.median(sizes[:10]), np.median(sizes[-10:])
    assert last - first < 8, f"grew from {first:.0f} to {last:.0f} MiB in {seconds:.0f} s"
    assert set(load.acknowledged) == stored(server)


def test_served_leaves_nothing_running(server: Server) -> None:
    with served(server):
        family = server.family()
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
