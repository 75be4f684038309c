"""The page that says how the model does in use, on the real monitor service."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from monitoring.users import Users
from tests.bento.conftest import Service
from tests.monitoring.watching import alert, webhook
from tests.reports.values import a_monitoring_report
from tests.system.workspace import wait_for
from tests.ui.conftest import Tab, new_tab, reached
from tests.ui.monitored import NOON, Monitored
from tests.ui.test_models import cells, press

ALERTS = {"Authorization": f"Bearer {'a' * 40}"}


@pytest.fixture
def services(shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    return reached(shared_service, monkeypatch)


@pytest.fixture
def reported(monitored: Monitored) -> Monitored:
    """The monitor service after two reports, the second with drift."""
    for name, at, verdict in (("first", NOON, "ok"), ("second", NOON + timedelta(hours=1), "drift")):
        report = a_monitoring_report().model_copy(update={"run": name, "at": at, "verdict": verdict})
        monitored.reports.store(report, f"<p>{name}</p>", "")
    return monitored


def opened(tab: Tab, username: str) -> AppTest:
    app = tab.sign_in(username).open("monitoring").app
    assert not app.exception
    return app


def test_before_the_first_report_the_page_says_how_to_make_one(monitored: Monitored, tab: Tab) -> None:
    assert any("python run.py monitor" in message.value for message in opened(tab, "rita").info)


def test_the_verdict_is_said_in_words_with_what_was_measured(reported: Monitored, tab: Tab) -> None:
    app = opened(tab, "rita")
    assert app.error[0].value.startswith("Drift: the listings, or how often the answers are right")
    said = "\n".join(text.value for text in app.markdown)
    assert "1 of 2 columns has drifted: language." in said
    assert "of the answers are right" in said


def test_each_chart_has_the_same_numbers_as_a_table(reported: Monitored, tab: Tab) -> None:
    app = opened(tab, "rita")
    assert [row[:2] for row in cells(app, "The verdict of each report over time")] == [
        [r"2026\-03\-04 13\:00", "drift"], [r"2026\-03\-04 12\:00", "all is well"],
    ]  # fmt: skip
    assert [row[1] for row in cells(app, "The share of drifted columns over time")] == [r"50\%", r"50\%"]
    columns = cells(app, "The distance of each column from the training")
    assert [(row[0].replace("\\", ""), row[2]) for row in columns] == [
        ("language", "drifted"), ("title: words", "as in training"),
    ]  # fmt: skip
    assert len(cells(app, "The share of right answers over time, with its 95% interval")) == 2


def test_an_alert_and_what_came_of_it_are_in_the_timeline(reported: Monitored, tab: Tab) -> None:
    sent = reported.client.post("/alerts", json=webhook(alert()), headers=ALERTS)
    assert sent.status_code == 202
    wait_for("the retraining has ended", lambda: reported.journal.last_end is not None)
    outcomes = [row[1:3] for row in cells(opened(tab, "rita"), "What happened")]
    assert ["Retraining", r"not better\, refused"] in outcomes


def test_a_report_is_saved_by_who_may_read_it(reported: Monitored, tab: Tab) -> None:
    app = opened(tab, "rita")
    app.selectbox(key="monitoring_report").set_value("second.html")
    app.run()
    assert [button.label for button in app.download_button] == ["Save the report as a page"]


def test_an_admin_retrains_with_a_reason_within_the_budget(reported: Monitored, tab: Tab) -> None:
    app = opened(tab, "ada")
    press(app, "Retrain now…")
    assert any("3 of 3 retrainings are left today" in text.value for text in app.markdown)
    assert next(button for button in app.button if button.label == "Start the retraining").disabled
    app.text_input(key="monitoring_reason").set_value("new catalogue of pools")
    app.run()
    press(app, "Start the retraining")
    assert "The retraining has started." in [message.value for message in app.success]
    wait_for("the retraining has ended", lambda: reported.journal.last_end is not None)
    press(app, "Retrain now…")
    assert any("No retraining may start now." in message.value for message in app.info)


def test_a_reviewer_reads_and_does_not_retrain(reported: Monitored, tab: Tab) -> None:
    assert "Retrain now…" not in [button.label for button in opened(tab, "rita").button]


def test_without_a_monitor_service_the_page_says_how_to_start_it(tab: Tab) -> None:
    assert "python run.py watch" in tab.sign_in("rita").open("monitoring").shown


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("en", "does not accept your sign-in"), ("fr", "n'accepte pas votre"), ("de", "nimmt Ihre Anmeldung nicht an")],
)
def test_a_monitor_service_with_other_users_is_a_sentence_and_ends_no_session(
    monitored: Monitored, monkeypatch: pytest.MonkeyPatch, locale: str, sentence: str
) -> None:
    async def nobody(_: object, __: bytes) -> None:
        """Answer as a service does that has not given the token."""

    monkeypatch.setattr(Users, "find", nobody)
    tab = new_tab(locale=locale).sign_in("rita").open("monitoring")
    assert sentence in tab.shown
    tab.open("")
    assert "rita" in tab.shown
    assert tab.app.session_state["login"].ended is False


def test_a_token_that_nobody_accepts_any_more_ends_the_session_here_too(
    monitored: Monitored, services: Service, tab: Tab
) -> None:
    tab.sign_in("rita")
    services.client.post("/logout", headers=services.as_("rita"))
    tab.open("monitoring")
    assert tab.app.title[0].value == "Sign in"
