"""A PostgreSQL of its own for tests: a temporary folder, a free port on loopback, gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.workspace import free_port

_ADDRESS = "postgresql://ledger:secret@127.0.0.1"


def find_binaries() -> Path | None:
    """Return the folder with initdb and pg_ctl, which distributions keep off the path; the newest of several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


class Server:
    """A PostgreSQL server, which can be stopped and started again."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self.port = free_port()
        self._running = False
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        self._run("initdb", "--username=ledger", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    @property
    def url(self) -> str:
        """The address of its one database that is there from the beginning."""
        return f"{_ADDRESS}:{self.port}/postgres"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
            " -c fsync=off -c full_page_writes=off -c max_connections=200"
        )
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}", f"--options={options}")
        self._running = True

    def stop(self, mode: str = "fast") -> None:
        """Stop, if it runs, without waiting for clients to go; `immediate` writes nothing any more."""
        if self._running:
            self._run("pg_ctl", "stop", "--wait", f"--mode={mode}")
            self._running = False

    def _run(self, program: str, *arguments: str) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # the server refuses to run as root
        command = [*user, str(self._binaries / program), f"--pgdata={self._folder / 'data'}", *arguments]
        environment = {**os.environ, "LC_ALL": "C"}
        with (self._folder / "output").open("a+") as output:
            done = subprocess.run(command, cwd="/", env=environment, stdout=output, stderr=output, check=False)
            output.seek(0)
            assert done.returncode == 0, output.read()


@contextmanager
def postgresql_server() -> Iterator[Server]:
    """Run a server. Skips the test where PostgreSQL is not installed."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: no pg_ctl in /usr/lib/postgresql/*/bin nor on the path")
    folder = Path(tempfile.mkdtemp(prefix="product-types-postgresql-"))
    try:
        server = Server(binaries, folder)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server and give the address of an empty database in it."""
    with postgresql_server() as server:
        yield server.url
