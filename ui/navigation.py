"""Which pages there are, and who sees which in the navigation. The services decide what is allowed.

A page is a module of `ui/views/` with a function `page`, an entry here, its name in `ui/messages/navigation.yaml`, and
its texts in a file of `ui/messages/`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui.i18n import Messages
from ui.services.auth import Role
from ui.views import catalogue, classify, history, models, monitoring, review, users

text = Messages("navigation")
_EVERYBODY: frozenset[Role] = frozenset({"user", "simulator", "reviewer", "admin"})
_REVIEWERS: frozenset[Role] = frozenset({"reviewer", "admin"})
_ADMINS: frozenset[Role] = frozenset({"admin"})


@dataclass(frozen=True)
class Entry:
    """A page: its path, its icon, the function that draws it, and the roles that see it.

    `others`: tells whether all others see it too, by a setting of a service. `wide`: it needs the width of the window.
    """

    path: str
    icon: str
    draw: Callable[[], None]
    roles: frozenset[Role] = _EVERYBODY
    others: Callable[[], bool] = lambda: False
    wide: bool = False


ENTRIES = (
    Entry("classify", "category", classify.page),
    Entry("catalogue", "table_view", catalogue.page, wide=True),
    Entry("history", "history", history.page, wide=True),
    Entry("review", "fact_check", review.page, _REVIEWERS, review.is_open_to_users),
    Entry("models", "deployed_code", models.page, _ADMINS),
    Entry("monitoring", "monitoring", monitoring.page, _REVIEWERS),
    Entry("users", "group", users.page, _ADMINS),
)


def layout(page: StreamlitPage) -> Literal["wide", "centered"]:
    """Return how wide a page is."""
    return "wide" if any(entry.wide and entry.path == page.url_path for entry in ENTRIES) else "centered"


def pages(role: Role | None) -> list[StreamlitPage]:
    """Return the pages that a role sees, the first one as the start. None: nobody has signed in, and all are there.

    So the address that somebody opens stays until the form is sent.
    """
    seen = [entry for entry in ENTRIES if role is None or role in entry.roles or entry.others()]
    return [
        st.Page(
            entry.draw,
            title=text(f"page_{entry.path}"),
            icon=f":material/{entry.icon}:",
            url_path=entry.path,
            default=entry is seen[0],
        )
        for entry in seen
    ]
