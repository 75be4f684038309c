"""Secrets: made once, readable by their owner alone, and weak ones are refused."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from web import secret_store
from web.passwords import refuse_weak_password
from web.secret_store import WeakSecretError


@pytest.mark.parametrize("weak", ["short-but-many-letters", "abcab" * 10])
def test_a_key_that_is_short_or_has_few_different_characters_is_weak(weak: str) -> None:
    with pytest.raises(WeakSecretError, match="METRICS_TOKEN is too weak"):
        secret_store.refuse_weak_key("METRICS_TOKEN", weak)
    secret_store.refuse_weak_key("METRICS_TOKEN", "0123456789abcdef" * 2)


def test_of_many_processes_one_makes_a_key_and_all_read_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: secret_store.random_key(tmp_path / "key"), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_password_is_new_only_the_first_time(tmp_path: Path) -> None:
    password, new = secret_store.random_password(tmp_path / "folder" / "password")
    assert new
    assert secret_store.random_password(tmp_path / "folder" / "password") == (password, False)
    refuse_weak_password(password, "admin")


def test_a_private_key_is_kept_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    pem = secret_store.private_key(path)
    assert pem.startswith("-----BEGIN PRIVATE KEY-----")
    assert secret_store.private_key(path) == pem
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
