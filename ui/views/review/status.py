"""What is left to review, and what the reviews have brought."""

import streamlit as st

from ui.charts import Row, show_table
from ui.i18n import Messages, number, percent
from ui.services.review import ReviewStatus

text = Messages("review")


def show_left(status: ReviewStatus) -> None:
    """Say how much is left."""
    uncertain = text("left_uncertain", count=status["uncertain_left"])
    random = text("left_random", count=status["random_left"])
    st.markdown(text("left", uncertain=uncertain, random=random))


def show_results(status: ReviewStatus) -> None:
    """Draw the numbers of reviews, how far reviewers agree, and what they changed."""
    st.header(text("so_far"))
    agreement, changed, settings = status["agreement"], status["changed"], status["settings"]
    with st.container(horizontal=True):
        st.metric(text("by_me"), number(status["reviewed_by_me"]), border=True, width="content")
        st.metric(text("by_all"), number(status["reviewed"]), border=True, width="content")
        st.metric(text("agreement"), _share(agreement["share"]), border=True, width="content")
        st.metric(text("changed"), _share(changed["share"]), border=True, width="content")
    if agreement["listings"]:
        st.caption(text("agreement_rows", count=agreement["listings"], equal=agreement["equal"]))
    else:
        st.caption(text("no_agreement"))
    if settings["users"]:
        st.caption(text("quorum", count=settings["quorum"]))
    if changed["pairs"]:
        st.subheader(text("pairs"))
        rows: list[Row] = [
            {
                text("pair_from"): f"{pair['from_label'] or '?'} ({pair['from_code']})",
                text("pair_to"): f"{pair['to_label'] or '?'} ({pair['to_code']})",
                text("pair_count"): number(pair["count"]),
            }
            for pair in changed["pairs"]
        ]
        show_table(rows, text("pairs"))


def _share(share: float | None) -> str:
    return "–" if share is None else percent(share)
