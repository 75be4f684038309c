"""Where the ledger is, whatever the working folder of the process that asks."""

from pathlib import Path

import pytest

from ledger.location import absolute, database_url


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sqlite:///my.db", "sqlite:///{here}/my.db"),
        ("sqlite+pysqlite:///data/my.db?timeout=3", "sqlite+pysqlite:///{here}/data/my.db?timeout=3"),
        ("sqlite:////srv/my.db", "sqlite:////srv/my.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file:my.db?uri=true", "sqlite:///file:my.db?uri=true"),
        ("sqlite://", "sqlite://"),
        ("postgresql://user:secret@host/name", "postgresql://user:secret@host/name"),
        ("https://tracker.example/mlflow", "https://tracker.example/mlflow"),
    ],
)
def test_a_relative_path_begins_at_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute(given) == meant.format(here=tmp_path)


def test_the_address_of_the_ledger_names_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATE_DIR", "state")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert database_url() == f"sqlite:///{tmp_path}/state/ledger.db"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STATE_DIR", "~/state")
    assert database_url() == f"sqlite:///{tmp_path}/home/state/ledger.db"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///my.db")
    assert database_url() == f"sqlite:///{tmp_path}/my.db"
