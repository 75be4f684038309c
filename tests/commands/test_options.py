"""Options that several verbs share."""

from datetime import timedelta
from pathlib import Path

import pytest

from commands.options import read_duration, require_result_file
from terminal.errors import CommandError


def test_a_duration_is_a_number_and_a_unit() -> None:
    assert read_duration("--every", "90s", "smhd", "90s or 6h") == timedelta(seconds=90)
    assert read_duration("--every", "15m", "smhd", "90s or 6h") == timedelta(minutes=15)
    assert read_duration("--older-than", "2w", "hdw", "90d or 12w") == timedelta(days=14)


@pytest.mark.parametrize("wrong", ["15", "m", "-1m", "1.5h", "15 m", "", "2w"])
def test_anything_else_is_refused_with_examples(wrong: str) -> None:
    with pytest.raises(CommandError, match="--every takes a number and a unit, as 90s or 6h, not '"):
        read_duration("--every", wrong, "smhd", "90s or 6h")


@pytest.mark.parametrize("content", [None, "", '{"verdict": "ok", "rows": 1}'])
def test_a_result_may_take_the_place_of_an_earlier_one(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)
    require_result_file("--json", file, "verdict")
    require_result_file("--json", None, "verdict")


@pytest.mark.parametrize("content", [b"code,label\n1,A\n", b'{"mine": 1}', b"[1]", b"7", b"\xff\xfe"])
def test_a_result_does_not_overwrite_anything_else(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=r"--json .*taxonomy\.csv would overwrite a file that is no result"):
        require_result_file("--json", file, "verdict")
    with pytest.raises(CommandError, match="is a folder; name a file"):
        require_result_file("--json", tmp_path, "verdict")
