"""The page on which people look at one uncertain or random answer after the other."""

import streamlit as st

from ui import failures, model, session
from ui.i18n import Messages, clock, literal, percent
from ui.marked_text import listing_html
from ui.services.prediction import Listing
from ui.services.review import ReviewItem
from ui.services.transport import ServiceError
from ui.views.review import status
from ui.views.review.desk import Answer, Desk, Skip, Undo
from ui.views.review.key_focus import focus_on_key

text = Messages("review")
_DESK = "review_desk"
_KEYS = "review_keys"
_OPEN = "review_open"  # to plain users
RIGHT, SKIP, UNDO, TYPE = "A", "S", "U", "T"


def is_open_to_users() -> bool:
    """Whether plain users review too. A session asks until the service has said so."""
    if _OPEN not in st.session_state:
        try:
            st.session_state[_OPEN] = session.reviews().status()["settings"]["users"]
        except ServiceError as error:
            if error.status != 403:
                return False
            st.session_state[_OPEN] = False
    return bool(st.session_state[_OPEN])


def page() -> None:
    """Do what the last key or click meant, and draw the listing that follows."""
    st.title(text("title"))
    desk: Desk = st.session_state.setdefault(_DESK, Desk())
    try:
        desk.settle(session.reviews(), session.prediction())
    except ServiceError as error:
        _show_what_waits(desk, error)
        return
    if desk.refused:
        st.warning(text("refused", reason=failures.sentence(desk.refused)), icon=":material/info:")
    now = session.reviews().status()
    status.show_left(now)
    if desk.item is None:
        st.success(text("none_left"), icon=":material/done_all:")
    else:
        _show_listing(desk, desk.item)
    _show_actions(desk)
    status.show_results(now)


def _show_what_waits(desk: Desk, error: ServiceError) -> None:
    failures.show(error)
    if desk.waiting:
        st.info(text("waiting"), icon=":material/save:")
    st.button(text("again"), icon=":material/refresh:")


def _show_listing(desk: Desk, item: ReviewItem) -> None:
    with st.container(border=True):
        st.caption(
            text(
                "circumstances",
                drawn=text(f"drawn_{item['drawn']}"),
                language=text(f"language_{item['language']}"),
                time=clock(item["held_until"]),
            )
        )
        listing: Listing = {"designation": item["designation"], "description": item.get("description")}
        st.html(listing_html(listing, desk.explanation, {"for": text("mark_for"), "against": text("mark_against")}))
        st.markdown(
            text(
                "predicted",
                label=literal(item["predicted_class"]),
                code=str(item["predicted_code"]),
                share=percent(item["confidence"]),
            )
        )


def _show_actions(desk: Desk) -> None:
    item = desk.item
    keys = bool(st.session_state.get(_KEYS, True))

    def shortcut(key: str) -> str | None:
        return key if keys else None

    with st.container(horizontal=True, key="review_actions"):
        if item is not None:
            st.button(
                text("right"), type="primary", icon=":material/check:", shortcut=shortcut(RIGHT),
                on_click=desk.note, args=(Answer(item, item["predicted_code"]),),
            )  # fmt: skip
            st.button(
                text("skip"), icon=":material/skip_next:", shortcut=shortcut(SKIP), on_click=desk.note,
                args=(Skip(item),),
            )  # fmt: skip
        st.button(
            text("undo"), icon=":material/undo:", shortcut=shortcut(UNDO), on_click=desk.note, args=(Undo(),),
            disabled=not desk.given,
        )  # fmt: skip
    if item is not None:
        _show_types(desk, item, keys=keys)
    st.toggle(text("keys"), value=True, key=_KEYS, help=text("keys_help"), persist_state="session")


def _show_types(desk: Desk, item: ReviewItem, *, keys: bool) -> None:
    labels = model.served().labels
    key = f"review_type_{item['prediction_id']}"

    def note() -> None:
        code = st.session_state[key]
        if code is not None:
            desk.note(Answer(item, code))

    with st.container(key="review_type"):
        st.selectbox(
            text("another_key", key=TYPE) if keys else text("another"), sorted(labels), index=None, key=key,
            format_func=lambda code: f"{code} · {labels[code]}", on_change=note, filter_mode="contains",
            placeholder=text("another_placeholder"),
        )  # fmt: skip
    if keys:
        focus_on_key(TYPE, ".st-key-review_type input")
