"""A Bento that is nowhere any more."""

import pytest

from stacks.bentos import BentoLostError, restore_bento


@pytest.mark.parametrize("run", [None, "no-such-run"])
def test_a_bento_that_is_nowhere_is_named_with_what_to_do(run: str | None) -> None:
    with pytest.raises(BentoLostError, match=r"^Bento shop:1-abc is neither .* train with --no-cache$"):
        restore_bento("shop:1-abc", run)
