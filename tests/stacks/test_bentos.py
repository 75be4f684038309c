"""A Bento that is nowhere any more, and one that is deleted while another process changes the store."""

from pathlib import Path

import pytest

from stacks import bentos
from stacks.bentos import BentoLostError, BentoStoreError, delete_bento, restore_bento
from state.lock import hold


@pytest.mark.parametrize("run", [None, "no-such-run"])
def test_a_bento_that_is_nowhere_is_named_with_what_to_do(run: str | None) -> None:
    with pytest.raises(BentoLostError, match=r"^Bento shop:1-abc is neither .* train with --no-cache$"):
        restore_bento("shop:1-abc", run)


def test_a_bento_is_not_deleted_while_another_process_imports_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    monkeypatch.setattr(bentos, "_PATIENCE", 0)
    with (
        hold(tmp_path / "product-types.lock", "import of shop:2-def"),
        pytest.raises(BentoStoreError, match=r"^'import of shop:2-def' .* is using the Bento store .*; wait"),
    ):
        delete_bento("shop:1-abc")
