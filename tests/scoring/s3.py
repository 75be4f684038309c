"""A real server of S3 for tests: SeaweedFS, where its program `weed` is installed."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from tests.conftest import ROOT
from tests.system.workspace import free_port, wait_for

WEED = shutil.which("weed") or shutil.which("weed", path=ROOT / ".venv-airflow" / "bin")
BUCKET = "scoring"


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Run the server with an empty bucket, and yield the variables with which clients find it."""
    keys = secrets.token_hex(8), secrets.token_hex(16)
    credentials = [{"accessKey": keys[0], "secretKey": keys[1]}]
    identity = {"name": "tests", "credentials": credentials, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [str(WEED), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}", "-s3"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [f"-{name}.port.grpc={free_port()}" for name in ports]
    command += [f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=0"]
    variables = {
        "AWS_ACCESS_KEY_ID": keys[0],
        "AWS_SECRET_ACCESS_KEY": keys[1],
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3']}",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with (folder / "s3.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    system = fsspec.filesystem("s3", key=keys[0], secret=keys[1], endpoint_url=variables["AWS_ENDPOINT_URL"])

    def made() -> bool:
        try:
            system.mkdir(BUCKET)
        except FileExistsError:
            return True
        except OSError:
            return False
        return True

    try:
        wait_for("S3 answers", made)
        yield variables
    finally:
        server.kill()
        server.wait()
