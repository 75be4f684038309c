"""Standard output and standard error: what they cannot show, or nobody reads any more, ends no command."""

import codecs
import io
import os
import sys

_PLAIN = {"✓": "+", "✗": "x", "→": "->", "…": "...", "·": "-", "–": "-", "\N{RIGHT SINGLE QUOTATION MARK}": "'"}
_ERRORS = "plain"  # the name of our error handler


class _Stream(io.TextIOWrapper):
    """A stream that says nothing more when its reader has gone, as `head` has after the first lines."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._drop()

    def _drop(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def prepare_output() -> None:
    """Replace this process' output streams by ones that no character and no closed pipe breaks. Call it first."""
    codecs.register_error(_ERRORS, _in_plain_characters)
    sys.stdout, sys.stderr = _tolerant(sys.stdout, 1), _tolerant(sys.stderr, 2)


def _tolerant(stream: "io.TextIOBase | object", descriptor: int) -> io.TextIOWrapper:
    if not isinstance(stream, io.TextIOWrapper):  # it was closed before the start
        return open(os.devnull, "w", encoding="utf-8")
    stream.flush()
    raw = io.FileIO(descriptor, "w", closefd=False)
    lines = stream.line_buffering or descriptor == 2
    return _Stream(io.BufferedWriter(raw), encoding=stream.encoding, errors=_ERRORS, line_buffering=lines)


def _in_plain_characters(error: UnicodeError) -> tuple[str, int]:
    """Return how a stream shows characters that its encoding lacks: alike where possible, else as an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    shown = (_PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode() for each in missing)
    return "".join(shown), error.end
