"""Databases that stop and start again, processes that are killed, processes that share a file."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.callers import Caller
from ledger.database import LedgerError, check, migrate, open_engine, reading
from ledger.tables import PredictionRow
from ledger.writer import PredictionWriter
from tests.conftest import ROOT
from tests.ledger.conftest import prediction
from tests.postgres import Server, postgresql_server
from tests.system.workspace import LIMIT

ANYBODY = Caller("anybody", "anybody", "user", 0)
STORING = """
import asyncio, itertools, sys
from ledger.database import open_engine
from ledger.callers import Caller
from ledger.writer import PredictionWriter
from tests.ledger.conftest import prediction

async def client():
    for _ in range(int(sys.argv[2])):
        record = prediction()
        await writer.store(Caller("alice", "alice", "user", 0), [record])
        print(record.id, flush=True)

async def clients():
    await asyncio.gather(*(client() for _ in range(8)))

writer = PredictionWriter(open_engine(sys.argv[1]), check_callers=False)
asyncio.run(clients())
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with postgresql_server() as server:
        yield server


def stored(url: str) -> set[str]:
    engine = open_engine(url)
    with reading(engine) as connection:
        ids = set(connection.scalars(select(PredictionRow.id)))
    engine.dispose()
    return ids


def start_storing(url: str, each: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STORING, url, str(each)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_after_an_outage_everything_works_again_by_itself(server: Server) -> None:
    migrate(server.url)
    engine = open_engine(server.url)
    writer = PredictionWriter(engine, check_callers=False)

    async def store() -> None:
        await asyncio.wait_for(writer.store(ANYBODY, [prediction()]), LIMIT)

    async def outage() -> None:
        await asyncio.gather(*(store() for _ in range(5)))
        check(engine)
        server.stop()
        for outcome in await asyncio.gather(*(store() for _ in range(5)), return_exceptions=True):
            assert isinstance(outcome, LedgerError)
        with pytest.raises(LedgerError, match="cannot be read: OperationalError"):
            check(engine)
        with pytest.raises(LedgerError):
            await store()
        server.start()
        check(engine)
        await asyncio.gather(*(store() for _ in range(5)))
        server.stop()  # nobody asks while it is away: nobody notices
        server.start()
        await asyncio.sleep(1)
        await store()

    asyncio.run(outage())
    assert len(stored(server.url)) == 11
    writer.close()
    engine.dispose()


def test_a_killed_process_has_stored_what_it_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    with start_storing(url, 1_000_000) as process:
        assert process.stdout is not None
        acknowledged = {line.strip() for line in islice(process.stdout, 500)}
        os.kill(process.pid, signal.SIGKILL)
        acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
    assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) >= 500
    assert acknowledged <= stored(url)


def test_two_processes_share_a_file_and_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate(url)
    processes = [start_storing(url, 100) for _ in range(2)]
    acknowledged = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert [len(ids) for ids in acknowledged] == [800, 800]
    assert stored(url) == {*acknowledged[0], *acknowledged[1]}
