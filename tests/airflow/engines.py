"""All that the stack of Airflow needs, as real processes on loopback: each on a free port, its output in a file."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import create_engine, text

from tests.conftest import ROOT
from tests.postgres import postgresql_server
from tests.system.workspace import free_port, wait_for

AIRFLOW = ROOT / ".venv-airflow" / "bin"  # `make test-airflow` sets it up
BUCKETS = ("artifacts", "models")
TOKEN_LIFE = 5  # seconds that a token which is bound to a run outlives the run


@dataclass
class Processes:
    """Processes that end together."""

    folder: Path
    running: list[psutil.Popen] = field(default_factory=list)

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        with (self.folder / f"{name}.log").open("w") as log:
            self.running.append(
                psutil.Popen(
                    command, env=_environment(environment), cwd=self.folder, stdout=log, stderr=log,
                    start_new_session=True,
                )
            )  # fmt: skip

    def stop(self) -> None:
        for process in reversed(self.running):
            family = process.children(recursive=True) if process.is_running() else []
            for member in (process, *family):
                if member.is_running():
                    member.send_signal(signal.SIGTERM)
            _, survivors = psutil.wait_procs([process, *family], timeout=15)
            for survivor in survivors:
                survivor.kill()


@dataclass(frozen=True)
class Lab:
    """Where everything is, and the environment in which `run.py` finds it."""

    folder: Path
    airflow: str
    tracker: str
    password: str
    environment: dict[str, str]

    @property
    def dags(self) -> Path:
        return self.folder / "dags"


def require_engines() -> None:
    """Skip where something is not installed, and say what."""
    import docker
    from docker.errors import DockerException

    if not (AIRFLOW / "airflow").is_file():
        pytest.skip("Airflow is not installed in .venv-airflow; 'make test-airflow' installs it")
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed; on Debian and Ubuntu 'apt-get install docker-registry'")
    try:
        docker.from_env(timeout=5).ping()
    except DockerException as error:
        pytest.skip(f"no container engine answers here ({error}); start Docker, or name it in DOCKER_HOST")


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """Start PostgreSQL, S3, a registry, MLflow, ZenML's server and Airflow, in this order."""
    require_engines()
    processes = Processes(folder)
    with postgresql_server() as database:
        engine = create_engine(database.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name in ("airflow", "mlflow", "ledger"):
                connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        base = database.url.rsplit("/", 1)[0].removeprefix("postgresql")
        try:
            s3, keys = _s3(processes)
            registry = _registry(processes)
            tracker = _tracker(processes, f"postgresql+psycopg{base}/mlflow", s3, keys)
            server, key = _zenml(processes)
            airflow, password = _airflow(processes, base)
            yield Lab(
                folder,
                airflow,
                tracker,
                password,
                {
                    "ZENML_STORE_URL": server,
                    "ZENML_STORE_API_KEY": key,
                    "AIRFLOW_DAGS": str(folder / "dags"),
                    "AIRFLOW_NETWORK": "host",
                    "AIRFLOW_DOCKER_URL": os.environ.get("DOCKER_HOST", "unix://var/run/docker.sock"),
                    "AIRFLOW_API_URL": airflow,
                    "AIRFLOW_USERNAME": "admin",
                    "AIRFLOW_PASSWORD": password,
                    "ARTIFACTS": f"s3://{BUCKETS[0]}",
                    "S3_ENDPOINT": s3,
                    "REGISTRY": registry,
                    "TRACKER_URI": tracker,
                    "LEDGER": f"postgresql{base}/ledger",
                    "S3_KEY": keys[0],
                    "S3_SECRET": keys[1],
                },
            )
        finally:
            processes.stop()


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what leads its tools to the session's own state."""
    ours = ("STATE_DIR", "ZENML_", "BENTOML_", "MLFLOW_", "PYTHON")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)} | dict(own)


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).status_code < 500
    except httpx.HTTPError:
        return False


def _s3(processes: Processes) -> tuple[str, tuple[str, str]]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    keys = secrets.token_hex(8), secrets.token_hex(16)
    identity = {
        "name": "product-types",
        "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = processes.folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    data = processes.folder / "s3"
    data.mkdir()
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [str(AIRFLOW / "weed"), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", "-s3"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    command += [f"-s3.config={config}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += ["-master.volumeSizeLimitMB=256", "-volume.max=0"]
    processes.start("s3", command, {})
    address = f"http://127.0.0.1:{ports['s3']}"
    client = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id=keys[0], aws_secret_access_key=keys[1], region_name="us-east-1"
    )

    def made() -> bool:
        try:
            there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
            for bucket in set(BUCKETS) - there:
                client.create_bucket(Bucket=bucket)
        except (BotoCoreError, ClientError):
            return False
        return True

    wait_for("S3 answers", made)
    return address, keys


def _registry(processes: Processes) -> str:
    address = f"127.0.0.1:{free_port()}"
    config = processes.folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {processes.folder / 'registry'}}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    processes.start("registry", ["docker-registry", "serve", str(config)], {})
    wait_for("the registry answers", lambda: answers(f"http://{address}/v2/"))
    return address


def _tracker(processes: Processes, database: str, s3: str, keys: tuple[str, str]) -> str:
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--artifacts-destination", f"s3://{BUCKETS[1]}"]
    processes.start(
        "mlflow",
        command,
        {
            "MLFLOW_S3_ENDPOINT_URL": s3,
            "AWS_ACCESS_KEY_ID": keys[0],
            "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_DEFAULT_REGION": "us-east-1",
        },
    )
    address = f"http://127.0.0.1:{port}"
    wait_for("MLflow answers", lambda: answers(f"{address}/health"), 120)
    return address


def _zenml(processes: Processes) -> tuple[str, str]:
    """Start ZenML's server, and return its address and the key of a service account."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--port", str(port)]
    home = processes.folder / "zenml-server"
    processes.start(
        "zenml",
        [*command, "--host", "127.0.0.1", "--log-level", "warning"],
        {
            "ZENML_CONFIG_PATH": str(home),
            "ZENML_SERVER_DEPLOYMENT_TYPE": "other",
            "ZENML_SERVER_AUTH_SCHEME": "OAUTH2_PASSWORD_BEARER",
            "ZENML_SERVER_JWT_SECRET_KEY": secrets.token_hex(32),
            "ZENML_WORKLOAD_TOKEN_EXPIRATION_LEEWAY": str(TOKEN_LIFE),
            "ZENML_ANALYTICS_OPT_IN": "false",
        },
    )
    address = f"http://127.0.0.1:{port}"
    wait_for("ZenML's server answers", lambda: answers(f"{address}/health"), 120)
    password = secrets.token_urlsafe(16)
    with httpx.Client(base_url=f"{address}/api/v1", timeout=30) as client:
        activation = {"admin_username": "admin", "admin_password": password}
        client.put("/activate", json=activation).raise_for_status()
        login = client.post("/login", data={"username": "admin", "password": password}).raise_for_status()
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        account = client.post("/service_accounts", json={"name": "trainer", "active": True}).raise_for_status()
        key = client.post(f"/service_accounts/{account.json()['id']}/api_keys", json={"name": "key"}).raise_for_status()
    return address, str(key.json()["body"]["key"])


def _airflow(processes: Processes, base: str) -> tuple[str, str]:
    port, password = free_port(), secrets.token_urlsafe(12)
    home, dags = processes.folder / "airflow", processes.folder / "dags"
    home.mkdir()
    dags.mkdir()
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({"admin": password}))
    address = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": f"{AIRFLOW}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2{base}/airflow",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg{base}/airflow",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    }
    migrated = subprocess.run(
        [str(AIRFLOW / "airflow"), "db", "migrate"], env=_environment(environment), cwd=processes.folder,
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert migrated.returncode == 0, migrated.stderr
    airflow = str(AIRFLOW / "airflow")
    processes.start("api-server", [airflow, "api-server", "--host", "127.0.0.1", "--port", str(port)], environment)
    processes.start("scheduler", [airflow, "scheduler"], environment)
    processes.start("dag-processor", [airflow, "dag-processor"], environment)
    wait_for("Airflow answers", lambda: answers(f"{address}/api/v2/monitor/health"), 180)
    return address, password
