"""The verdicts of monitoring, which drift, quality and the whole report share."""

from typing import Literal, get_args

Verdict = Literal["ok", "warning", "drift", "insufficient_data"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
