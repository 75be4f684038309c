"""What a command prints never decides how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MARKS = "print('✓ ✗ → … é \\udcff'); print('error → …', file=sys.stderr); sys.exit(3)"
PREPARED = "import sys; from terminal.output import prepare_output; prepare_output(); "


def run(code: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-S", "-c", PREPARED + code], cwd=ROOT, env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", rb"+ x -> ... \xe9 \udcff"),
        ("latin-1", b"+ x -> ... \xe9 \\udcff"),
        ("utf-8", "✓ ✗ → … é \\udcff".encode()),
    ],
)
def test_characters_that_the_output_lacks_are_shown_otherwise(encoding: str, printed: bytes) -> None:
    done = run(MARKS, PYTHONIOENCODING=encoding)
    assert done.returncode == 3, done.stderr
    assert done.stdout == printed + b"\n"
    assert b"Traceback" not in done.stderr


def test_help_is_shown_whatever_the_encoding() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "run.py", "--help"], cwd=ROOT, env={"PYTHONIOENCODING": "ascii"}, capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_has_gone_changes_neither_the_work_nor_the_exit_code(stream: str, tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = (
        f"out = sys.{stream}; out.write('first\\n'); out.flush(); sys.stdin.readline(); "
        "[print('x' * 1000, file=out, flush=not number % 7) for number in range(1000)]; "
        f"open({str(done)!r}, 'w').close(); sys.exit(4)"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", PREPARED + code], cwd=ROOT, stdin=subprocess.PIPE,
        **{stream: subprocess.PIPE},  # type: ignore[call-overload]
    ) as process:  # fmt: skip
        reader = getattr(process, stream)
        assert reader.readline() == b"first\n"
        reader.close()
        process.stdin.write(b"go on\n")
        process.stdin.close()
        assert process.wait(60) == 4
    assert done.exists()


def test_a_command_without_any_output_stream_works() -> None:
    code = "print('x'); sys.stderr.write('y'); sys.exit(5)"
    shell = f'exec "{sys.executable}" -S -c "{PREPARED + code}" >&- 2>&-'
    assert subprocess.run(["sh", "-c", shell], cwd=ROOT, check=False).returncode == 5
