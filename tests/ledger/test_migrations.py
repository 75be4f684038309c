"""Migrations create the schema that the tables declare; they can run again, at the same time and anywhere."""

import logging
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, insert, inspect, select

from ledger.database import check, migrate, open_engine, reading, writing
from ledger.feedback import give_feedback
from ledger.predictions import erase_predictions, find_prediction, store_predictions
from ledger.tables import Base, FeedbackRow, PredictionRow, ReceiptRow
from ledger.users import create_user, list_users
from tests.conftest import ROOT
from tests.ledger.conftest import NOW, prediction


def test_the_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        keys = inspect(connection).get_foreign_keys("feedback")
    assert [key["options"] for key in keys] == [{"ondelete": "CASCADE"}]


def test_migrating_again_keeps_the_rows(ledger_url: str, engine: Engine) -> None:
    record = prediction()
    with writing(engine) as connection:
        store_predictions(connection, [record])
    migrate(ledger_url)
    with reading(engine) as connection:
        assert find_prediction(connection, record.id) == record


def test_processes_that_migrate_at_the_same_time_all_succeed(empty_url: str) -> None:
    script = (
        "import sys, alembic.command; from ledger.database import migrate;"
        "print('ready', flush=True); input(); migrate(sys.argv[1])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    racing = [
        subprocess.Popen([sys.executable, "-c", script, empty_url], cwd=ROOT, text=True, **pipes) for _ in range(6)
    ]
    for process in racing:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[1] for process in racing]
    assert [process.returncode for process in racing] == [0] * 6, said
    engine = open_engine(empty_url)
    check(engine)
    engine.dispose()


def test_migrating_logs_nothing_and_leaves_logging_unchanged(empty_url: str, caplog: pytest.LogCaptureFixture) -> None:
    mine = logging.getLogger("tests.of.the.ledger")
    handlers, level = list(logging.getLogger().handlers), logging.getLogger("alembic").level
    with caplog.at_level(logging.DEBUG):
        migrate(empty_url)
        assert not [record for record in caplog.records if record.name.startswith(("alembic", "ledger"))]
        mine.info("still heard")
    assert "still heard" in caplog.text
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger("alembic").level == level


def test_migrating_works_from_a_copy_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "100%(home)s bento" / "src"
    shutil.copytree(ROOT / "ledger", source / "ledger", ignore=shutil.ignore_patterns("__pycache__"))
    script = f"import ledger.database as d; assert d.__file__.startswith({str(source)!r}); d.migrate(d.database_url())"
    subprocess.run([sys.executable, "-c", script], cwd=source, check=True, env={"STATE_DIR": str(tmp_path / "state")})
    check(open_engine(f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"))


def test_the_package_needs_neither_pandas_nor_alembic_to_be_imported() -> None:
    modules = [f"ledger.{path.stem}" for path in (ROOT / "ledger").glob("[a-z]*.py")]
    block = "import sys; sys.modules.update(pandas=None, numpy=None, alembic=None)"
    subprocess.run([sys.executable, "-c", f"{block}; import {', '.join(modules)}"], cwd=ROOT, check=True)


def test_a_ledger_is_locked_where_it_is_by_whatever_link_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "here")
    for name in ("here", "link"):
        migrate(f"sqlite:///{tmp_path / name / 'ledger.db'}")
    (tmp_path / "other.db").symlink_to(tmp_path / "here" / "ledger.db")
    migrate(f"sqlite:///{tmp_path / 'other.db'}")
    assert [path.name for path in tmp_path.rglob("*.lock")] == ["ledger.db.lock"]


def test_rows_of_the_first_schema_belong_to_the_ids_of_their_users(empty_url: str) -> None:
    """The second `ulf` got the name of a deleted user, whose rows are older than the second user."""
    engine = open_engine(empty_url)
    _fill_first_schema(engine)
    migrate(empty_url)
    with writing(engine) as connection:
        found = {user.username: user for user in list_users(connection)}
        assert list(found) == ["..", "Zo\u00eb", "ada", "ulf"]
        ulf, ada = found["ulf"], found["ada"]
        assert (ada.role, ada.password_hash, ada.created_at, ada.generation) == ("admin", "hash of ada", NOW, 0)
        owners = dict(connection.execute(select(PredictionRow.id, PredictionRow.user_id)).tuples().all())
        assert owners["new"] == ulf.id != owners["old"]
        assert owners["deleted"] not in {user.id for user in found.values()}
        assert connection.scalars(select(FeedbackRow.given_by).order_by(FeedbackRow.id)).all() == [ulf.id, ada.id]
        states = dict(connection.execute(select(PredictionRow.id, PredictionRow.review_state)).tuples().all())
        assert states == {"old": None, "new": None, "deleted": "done"}
        receipts = dict(connection.execute(select(ReceiptRow.owner, ReceiptRow.body)).tuples().all())
        assert receipts == {owners["old"]: "old", ulf.id: "new"}
        assert erase_predictions(connection, ulf.id, NOW) == 1
        assert create_user(connection, "gone", "hash", "user", NOW).id != owners["deleted"]
        wide = prediction(ulf.id, predicted_code=2**40)
        store_predictions(connection, [wide])
        assert give_feedback(connection, wide.id, 2**62, ulf.id, "user", NOW).correct_code == 2**62
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def _fill_first_schema(engine: Engine) -> None:
    config = Config(attributes={})
    config.set_main_option("script_location", str(ROOT / "ledger" / "migrations"))
    old, new = NOW - timedelta(days=2), NOW - timedelta(hours=1)
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        tables = MetaData()
        tables.reflect(connection)

        def add(table: str, **values: object) -> None:
            connection.execute(insert(tables.tables[table]).values(**values))

        for name, created, deleted in (
            ("ada", NOW, None), ("ulf", NOW - timedelta(days=1), None), ("gone", old, NOW), ("..", NOW, None),
            ("Zoe\u0308", NOW, None),
        ):  # fmt: skip
            role = "admin" if name == "ada" else "user"
            add("users", username=name, password_hash=f"hash of {name}", role=role, valid_from=created,
                created_at=created, deleted_at=deleted)  # fmt: skip
        for number, (name, at) in {"old": ("ulf", old), "new": ("ulf", new), "deleted": ("gone", new)}.items():
            add("predictions", id=number, username=name, designation="Piscine", predicted_code=10, confidence=0.5,
                abstained=False, language="fr", model_name="rakuten", model_version="1", created_at=at)  # fmt: skip
        add("feedback", prediction_id="new", correct_code=40, given_by="ulf", role="user", given_at=new)
        add("feedback", prediction_id="deleted", correct_code=40, given_by="ada", role="admin", given_at=NOW)
        for key, at in (("old", old), ("new", new)):
            add("receipts", owner="ulf", key=key, fingerprint="print", status=200, body=key, created_at=at)
