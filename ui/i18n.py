"""The languages of the page. Every text is in `ui/messages/`, in one file for each page, in every language."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
import yaml

LANGUAGES = {"en": "English", "fr": "Français", "de": "Deutsch"}
DEFAULT = "en"
STATE = "language"  # the key of the choice in the session
_TIMES = {"en": "%Y-%m-%d %H:%M", "fr": "%d/%m/%Y %H:%M", "de": "%d.%m.%Y %H:%M"}
FOLDER = Path(__file__).parent / "messages"

_Entry = Mapping[str, str | Mapping[str, str]]


def language() -> str:
    """Return the language that the user has chosen, or else that of the browser, or else English."""
    chosen = st.session_state.get(STATE)
    return str(chosen) if chosen in LANGUAGES else of_browser()


def of_browser() -> str:
    """Return the language of the browser if it is one of ours, else English."""
    code = (st.context.locale or "")[:2].lower()
    return code if code in LANGUAGES else DEFAULT


class Messages:
    """The texts of one file: `text("key", name=value)` returns one, in the language of the session.

    An entry may have two forms, `one` and `other`; the value `count` then decides, by the rule of the language.
    """

    def __init__(self, name: str) -> None:
        self._entries = _read(FOLDER / f"{name}.yaml")

    def __call__(self, key: str, /, **values: Any) -> str:
        code = language()
        text = self._entries[key][code]
        if not isinstance(text, str):
            text = text["one" if is_singular(code, values["count"]) else "other"]
        return text.format(**{name: _shown(value, code) for name, value in values.items()})

    def __contains__(self, key: str) -> bool:
        return key in self._entries


def is_singular(code: str, count: float) -> bool:
    """Whether a language speaks of that many things in the singular: in French of none, too."""
    return count < 2 if code == "fr" else count == 1


def number(value: int) -> str:
    """Return a number as the language of the session writes it: 1,234 or 1 234 or 1.234."""
    return _number(value, language())


def percent(share: float, digits: int = 0) -> str:
    """Return a share from 0 to 1 as the language of the session writes it: 84% or 84 %, and <1% or >99% at the ends."""
    code = language()
    smallest = 0.5 / 10**digits / 100
    sign = "<" if 0 < share < smallest else ">" if 1 - smallest < share < 1 else ""
    bounded = smallest * 2 if sign == "<" else 1 - smallest * 2 if sign == ">" else share
    text = f"{sign}{bounded * 100:.{digits}f}"
    return f"{text}%" if code == "en" else f"{text.replace('.', ',')}\N{NO-BREAK SPACE}%"


def moment(iso: str) -> str:
    """Return a time as the language of the session writes it, in the time zone of the browser."""
    return local(iso).strftime(_TIMES[language()])


def clock(iso: str) -> str:
    """Return hour, minute and second of a time, in the time zone of the browser."""
    return f"{local(iso):%H:%M:%S}"


def local(iso: str) -> datetime:
    """Return a time of a service in the time zone of the browser."""
    return datetime.fromisoformat(iso).astimezone(_zone())


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def literal(words: str) -> str:
    """Return words so that Markdown shows them as they are."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", words)


def _shown(value: Any, code: str) -> Any:
    return _number(value, code) if isinstance(value, int) else value


def _number(value: int, code: str) -> str:
    separator = {"en": ",", "fr": "\N{NARROW NO-BREAK SPACE}", "de": "."}[code]
    return f"{value:,}".replace(",", separator)


@cache
def _read(path: Path) -> Mapping[str, _Entry]:
    entries: Mapping[str, _Entry] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return entries
