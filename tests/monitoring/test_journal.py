"""The journal survives kills and restarts, is used by one process, and takes over the entries of the former one."""

import json
import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.entries import (
    AlertDecision,
    Entry,
    FailedRun,
    RetrainingEnd,
    RetrainingRequest,
    RetrainingStart,
    Rollback,
)
from monitoring.journal import Journal, JournalError
from tests.conftest import ROOT
from tests.monitoring.watching import NOON, failing_writes
from tests.system.workspace import LIMIT

DECISION = AlertDecision(
    at=NOON, decision="started", reason="new", alert="Drift", fingerprint="a1", starts_at=NOON, retraining="r1"
)
START = RetrainingStart(at=NOON, retraining="r1", pid=4711, created=1_772_625_600.25)
END = RetrainingEnd(at=NOON, retraining="r1", outcome="promoted", reason="better", model_version="2")
RUN = FailedRun(at=NOON, reason="the ledger does not answer")
REQUEST = RetrainingRequest(at=NOON + timedelta(hours=1), asked_by="ada", reason="new listings", retraining="r2")
ROLLBACK = Rollback(at=NOON, asked_by="ada", reason="worse on toys", before="2", after="1", entry="e1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitoring" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path)) as journal:
        yield journal


def content(journal: Journal) -> tuple[object, ...]:
    return journal.decisions(9), journal.start_of("r1"), journal.end_of("r1"), journal.failed_runs(9)


def run(program: str, path: Path) -> "subprocess.Popen[str]":
    """Start a program with the journal as `path`."""
    setup = (
        "import datetime, pathlib, sys\n"
        "from monitoring.entries import FailedRun\n"
        "from monitoring.journal import Journal\n"
        "now, path = datetime.datetime.now(datetime.UTC), pathlib.Path(sys.argv[1])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", setup + program, str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_every_kind_of_entry_is_read_as_it_was_stored_also_by_the_next_process(path: Path) -> None:
    expected = ([DECISION], START, END, [RUN])
    with closing(Journal(path)) as journal:
        journal.append(DECISION, START, END, RUN, REQUEST, ROLLBACK)
        assert content(journal) == expected
    with closing(Journal(path)) as journal:
        assert content(journal) == expected
        assert (journal.started(9), journal.rollbacks(9)) == ([REQUEST, DECISION], [ROLLBACK])


def test_the_file_belongs_to_its_owner_alone(journal: Journal, path: Path) -> None:
    journal.append(RUN)
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_entries_are_counted_by_day_in_utc_and_the_newest_come_first(journal: Journal) -> None:
    for hour, retraining in ((0, "r0"), (12, "r1"), (23, "r2")):
        journal.append(DECISION.model_copy(update={"at": NOON.replace(hour=hour), "retraining": retraining}))
    journal.append(DECISION.model_copy(update={"at": NOON.replace(day=5, hour=0), "retraining": "r3"}))
    assert journal.started_on_day_of(NOON) == 3
    assert [entry.retraining for entry in journal.started(2)] == ["r3", "r2"]
    assert journal.last_activity == NOON.replace(day=5, hour=0)


def test_a_retraining_that_a_user_asked_for_counts_as_one_that_an_alert_started(journal: Journal) -> None:
    journal.append(DECISION, END, REQUEST)
    assert journal.unfinished == REQUEST
    assert journal.started_on_day_of(NOON) == 2
    assert journal.last_activity == REQUEST.at
    journal.append(END.model_copy(update={"retraining": "r2"}))
    assert journal.unfinished is None


def test_a_second_service_is_refused_in_this_process_and_in_another_until_the_first_ends(path: Path) -> None:
    with closing(Journal(path)) as journal:
        with pytest.raises(JournalError, match=f"another monitor service uses {path}; end it first"):
            Journal(path)
        _, errors = run("Journal(path)", path).communicate(timeout=LIMIT)
        assert f"another monitor service uses {path}; end it first" in errors
        journal.append(RUN)
    other = run("Journal(path).append(FailedRun(at=now, reason='theirs')); print('open', flush=True); input()", path)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(JournalError, match="another monitor service"):
        Journal(path)
    other.kill()
    other.communicate()
    with closing(Journal(path)) as journal:
        assert [entry.reason for entry in journal.failed_runs(9)] == ["theirs", RUN.reason]


def test_an_entry_that_was_stored_survives_a_kill(path: Path) -> None:
    endless = (
        "journal = Journal(path)\n"
        "for number in range(1_000_000):\n"
        "    journal.append(FailedRun(at=now, reason=str(number)))\n"
        "    print(number, flush=True)\n"
    )
    writer = run(endless, path)
    assert writer.stdout is not None
    stored = [writer.stdout.readline().strip() for _ in range(150)]
    writer.send_signal(signal.SIGKILL)
    stored += writer.stdout.read().split()
    writer.communicate()
    with closing(Journal(path)) as journal:
        kept = [entry.reason for entry in journal.failed_runs(1_000_000)][::-1]
        assert kept[: len(stored)] == stored
        assert len(kept) - len(stored) <= 1, "the process was killed between storing and saying so"
        journal.append(RUN)
        assert journal.failed_runs(1) == [RUN]


def test_of_several_entries_all_are_stored_or_none(journal: Journal) -> None:
    journal.append(RUN)
    large = FailedRun(at=NOON, reason="x" * 2**20)
    for limit in (1, 2**15, 2**18):  # the disk is full at once, or while the pages are written
        with failing_writes(beyond=limit), pytest.raises(JournalError, match=r"cannot be written: .*(disk|full)"):
            journal.append(DECISION, START, large)
        assert content(journal) == ([], None, None, [RUN])
    journal.append(DECISION, START)
    assert content(journal) == ([DECISION], START, None, [RUN])


def test_a_closed_journal_is_an_error_and_not_a_crash(journal: Journal) -> None:
    journal.close()
    with pytest.raises(JournalError, match="cannot be written"):
        journal.append(RUN)
    with pytest.raises(JournalError, match="cannot be read"):
        journal.failed_runs(1)


@pytest.mark.parametrize("damage", ["text", "cut", "overwritten", "another database"])
def test_a_damaged_file_is_refused_with_what_to_do(path: Path, damage: str) -> None:
    with closing(Journal(path)) as journal:
        journal.append(*[DECISION] * 500)
    whole = path.read_bytes()
    middle = len(whole) // 8192 * 4096
    match damage:
        case "text":
            path.write_bytes(b"nonsense\n" * 500)
        case "cut":
            path.write_bytes(whole[:middle])
        case "overwritten":
            path.write_bytes(whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :])
        case "another database":
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("DROP TABLE retraining_end")
    for _ in range(2):
        with pytest.raises(JournalError, match=r"journal\.db is not a valid journal; move the file away to"):
            Journal(path)


def test_a_journal_of_a_later_version_is_left_alone(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="was written by a later version of this program"):
        Journal(path)


VERSION_1 = """
CREATE TABLE alert_decision (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL, alert TEXT NOT NULL,
    fingerprint TEXT NOT NULL, starts_at TEXT NOT NULL, retraining TEXT);
CREATE INDEX alert_decision_started ON alert_decision (at) WHERE retraining IS NOT NULL;
CREATE TABLE retraining_start (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, retraining TEXT NOT NULL UNIQUE, pid INTEGER, created REAL);
CREATE TABLE retraining_end (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, retraining TEXT NOT NULL UNIQUE, outcome TEXT NOT NULL,
    reason TEXT NOT NULL, model_version TEXT);
CREATE TABLE failed_run (id INTEGER PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL);
INSERT INTO alert_decision VALUES (1, '2026-03-04T12:00:00.000000+00:00', 'started', 'new', 'Drift', 'a1',
    '2026-03-04T12:00:00.000000+00:00', 'r1');
INSERT INTO retraining_start VALUES (1, '2026-03-04T12:00:00.000000+00:00', 'r1', 4711, 1772625600.25);
INSERT INTO retraining_end VALUES (1, '2026-03-04T12:00:00.000000+00:00', 'r1', 'promoted', 'better', '2');
INSERT INTO failed_run VALUES (1, '2026-03-04T12:00:00.000000+00:00', 'the ledger does not answer');
PRAGMA user_version = 1;
"""


@pytest.fixture
def version_1(path: Path) -> Path:
    """A journal as a service of version 1 left it."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
    return path


def test_a_journal_of_version_1_keeps_its_entries_and_takes_the_new_kinds(version_1: Path) -> None:
    for _ in range(2):
        with closing(Journal(version_1)) as journal:
            assert content(journal) == ([DECISION], START, END, [RUN])
            assert (journal.started(9), journal.rollbacks(9)) == ([DECISION], [])
    with closing(Journal(version_1)) as journal:
        journal.append(REQUEST, ROLLBACK)
        assert (journal.started(9), journal.rollbacks(9)) == ([REQUEST, DECISION], [ROLLBACK])


def test_a_damaged_journal_of_version_1_is_refused_as_it_is(version_1: Path) -> None:
    with closing(sqlite3.connect(version_1)) as connection:
        connection.execute("DROP TABLE retraining_end")
    with pytest.raises(JournalError, match="is not a valid journal"):
        Journal(version_1)
    with closing(sqlite3.connect(version_1)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_row_that_is_no_entry_is_an_error_that_names_the_file(path: Path) -> None:
    with closing(Journal(path)) as journal:
        journal.append(RUN)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE failed_run SET at = 'yesterday'")
    with closing(Journal(path)) as journal, pytest.raises(JournalError, match="is not a valid journal"):
        journal.failed_runs(1)


def test_a_folder_that_cannot_be_used_is_an_error_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"journal\.db cannot be used: File exists"):
        Journal(tmp_path / "file" / "journal.db")
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(JournalError, match=r"journal\.db cannot be used: unable to open"):
        Journal(tmp_path / "journal.db")


# The former journal: lines as earlier services wrote them.
FORMER = [
    {
        "at": "2026-03-04T12:00:00Z", "kind": "decided", "decision": "started", "reason": "new", "alert": "Drift",
        "fingerprint": "a1", "starts_at": "2026-03-04T13:00:00+01:00", "retraining": "r1",
    },
    {
        "at": "2026-03-04T12:00:00Z", "kind": "began", "retraining": "r1", "pid": 4711, "created": 1772625600.25,
        "version_before": None,
    },
    {
        "at": "2026-03-04T12:00:00Z", "kind": "finished", "retraining": "r1", "outcome": "promoted", "reason": "better",
        "model_version": "2",
    },
    {"at": "2026-03-04T12:00:00Z", "kind": "run_failed", "reason": "the ledger does not answer"},
]  # fmt: skip


@pytest.fixture
def former(path: Path) -> Path:
    path.parent.mkdir()
    former = path.with_name("decisions.jsonl")
    former.write_text("".join(f"{json.dumps(line)}\n" for line in FORMER))
    return former


def test_the_entries_of_a_former_journal_are_taken_over_once(former: Path, path: Path) -> None:
    for _ in range(2):
        with closing(Journal(path)) as journal:
            assert content(journal) == ([DECISION], START, END, [RUN])
            assert journal.started_by("a1", NOON) == DECISION
        assert sorted(file.name for file in path.parent.iterdir() if "jsonl" in file.name) == [
            "decisions.jsonl.migrated"
        ]


def test_a_kill_between_taking_over_and_renaming_duplicates_nothing(former: Path, path: Path) -> None:
    lines = former.read_bytes()
    Journal(path).close()
    former.write_bytes(lines)
    with closing(Journal(path)) as journal:
        assert content(journal) == ([DECISION], START, END, [RUN])
    assert not former.exists()


def test_a_last_line_that_was_being_written_is_left_out_with_a_warning(
    former: Path, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with former.open("a") as file:
        file.write('{"kind": "decided", "at"')
    with caplog.at_level(logging.WARNING, "monitoring"), closing(Journal(path)) as journal:
        assert content(journal) == ([DECISION], START, END, [RUN])
    assert "is incomplete and is left out" in caplog.text


def test_any_other_line_that_is_no_entry_is_refused_and_nothing_is_taken_over(former: Path, path: Path) -> None:
    lines = former.read_text()
    former.write_text("nonsense\n" + lines)
    with pytest.raises(JournalError, match=r"line 1 of .*decisions\.jsonl is not a valid entry; correct the line, or"):
        Journal(path)
    former.write_text(lines)
    with closing(Journal(path)) as journal:
        assert content(journal) == ([DECISION], START, END, [RUN])


def test_a_service_of_the_former_version_that_still_runs_is_refused(former: Path, path: Path) -> None:
    locking = "import fcntl; file = path.open('rb'); fcntl.flock(file, fcntl.LOCK_EX); "
    holder = run(f"{locking}print('held', flush=True); input()", former)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(JournalError, match=r"another monitor service uses .*decisions\.jsonl; end it first"):
            Journal(path)
    finally:
        holder.kill()
        holder.communicate()


def test_old_entries_are_forgotten_except_those_about_the_last_retraining(path: Path) -> None:
    def at(days: int, entry: Entry, **changes: str) -> Entry:
        return entry.model_copy(update={"at": NOON + timedelta(days=days), **changes})

    with closing(Journal(path, keep=timedelta(days=30))) as journal:
        journal.append(*[at(0, entry, retraining="r0") for entry in (DECISION, START, END)], DECISION, START, END, RUN)
        journal.append(at(29, RUN))
        assert len(journal.decisions(9)) == 2
        journal.append(at(31, RUN))
        assert (journal.decisions(9), journal.start_of("r0"), journal.end_of("r0")) == ([DECISION], None, None)
        assert content(journal) == ([DECISION], START, END, [at(31, RUN), at(29, RUN)])
        assert journal.unfinished is None


@pytest.mark.parametrize("earlier", [False, True])
def test_the_file_shrinks_when_entries_are_forgotten(path: Path, *, earlier: bool) -> None:
    with closing(Journal(path)) as journal:
        journal.append(*[RUN.model_copy(update={"reason": "x" * 1_000})] * 500)
    if earlier:  # as an earlier version left it
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA auto_vacuum = 0")
            connection.execute("VACUUM")
    before = path.stat().st_size
    with closing(Journal(path, keep=timedelta(days=30))) as journal:
        journal.append(RUN.model_copy(update={"at": NOON + timedelta(days=40)}))
    assert path.stat().st_size < before / 5
