"""Options that several verbs share."""

from datetime import timedelta

import pytest

from commands.options import read_duration
from terminal.errors import CommandError


def test_a_duration_is_a_number_and_a_unit() -> None:
    assert read_duration("--every", "90s", "smhd", "90s or 6h") == timedelta(seconds=90)
    assert read_duration("--every", "15m", "smhd", "90s or 6h") == timedelta(minutes=15)
    assert read_duration("--older-than", "2w", "hdw", "90d or 12w") == timedelta(days=14)


@pytest.mark.parametrize("wrong", ["15", "m", "-1m", "1.5h", "15 m", "", "2w"])
def test_anything_else_is_refused_with_examples(wrong: str) -> None:
    with pytest.raises(CommandError, match="--every takes a number and a unit, as 90s or 6h, not '"):
        read_duration("--every", wrong, "smhd", "90s or 6h")
