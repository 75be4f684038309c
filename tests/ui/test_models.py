"""The page with the versions of the model, on the real monitor service."""

import pytest
from streamlit.testing.v1 import AppTest

from monitoring.models import CommandFailedError, Models
from tests.bento.conftest import Service
from tests.ui.conftest import Tab, reached
from tests.ui.monitored import Monitored


@pytest.fixture
def services(shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    return reached(shared_service, monkeypatch)


@pytest.fixture
def models(monitored: Monitored, tab: Tab) -> AppTest:
    """The page, as an admin sees it."""
    return tab.sign_in("ada").open("models").app


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click()
    app.run()


def cells(app: AppTest, name: str) -> list[list[str]]:
    """The rows of the table of that name."""
    (table,) = (table for table in app.table if table.proto.alt == name)
    rows: list[list[str]] = table.value.to_numpy().tolist()
    return rows


def test_the_version_in_production_and_all_others_are_shown_with_scores_and_reasons(models: AppTest) -> None:
    assert not models.exception
    assert "Version **2** of **rakuten** is in production." in [text.value for text in models.markdown]
    assert [metric.value for metric in models.metric] == ["0.800", "0.800", "3,145"]
    chart = cells(models, "Weighted F1 of each version, with its 95% interval")
    assert [row[:3] for row in chart] == [
        ["2", "in production", r"0\.800 \(0\.780 to 0\.820\)"],
        ["1", "the one before", r"0\.750 \(0\.730 to 0\.770\)"],
    ]
    reasons = [block.value for block in models.html]
    assert '<p lang="en">Weighted F1 0.800 is better &lt;b&gt;</p>' in reasons


def test_a_version_is_shown_with_scores_by_type_card_and_lineage(models: AppTest) -> None:
    models.selectbox(key="models_version").set_value("2")
    models.run()
    assert [row[1] for row in cells(models, "By type")] == [r"0\.550", r"0\.910"]
    assert any(text.value.startswith("### Model card: rakuten") for text in models.markdown)
    facts = dict(cells(models, "Where it comes from"))
    assert facts["Run in MLflow"] == r"run\-2"
    assert facts["Git commit"].endswith("uncommitted changes")


def test_two_versions_are_compared_type_by_type_the_greatest_loss_first(models: AppTest) -> None:
    press(models, "Compare")
    rows = cells(models, "How F1 of each type differs in version 2 from version 1, the greatest loss first")
    assert [(row[0].replace("\\", ""), row[3].replace("\\", "")) for row in rows] == [
        ("Pools & spas (2583)", "−0.050"), ("Books (10)", "+0.110"), ("Games (40)", "–"),
    ]  # fmt: skip


def test_a_version_is_not_compared_with_itself(models: AppTest) -> None:
    models.selectbox(key="models_first").set_value("2")
    press(models, "Compare")
    assert [error.value for error in models.error] == ["Choose two different versions."]


def test_a_rollback_needs_a_reason_and_says_what_it_did(models: AppTest, monitored: Monitored) -> None:
    press(models, "Roll back…")
    assert any("Version 2 leaves production and version 1 takes over." in text.value for text in models.markdown)
    confirm = next(button for button in models.button if button.label == "Return to the version before")
    assert confirm.disabled
    models.text_input(key="models_reason").set_value("many complaints about pools")
    models.run()
    press(models, "Return to the version before")
    assert [message.value for message in models.success] == ["Version 1 is in production again. Version 2 has left it."]
    (entry,) = monitored.journal.rollbacks(9)
    assert (entry.reason, entry.asked_by) == ("many complaints about pools", "ada")


def test_a_rollback_of_a_version_that_has_left_meanwhile_is_refused_with_a_sentence(
    models: AppTest, monitored: Monitored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def roll_back(_: Models, asked_by: str, reason: str, leaving: str) -> None:
        raise CommandFailedError(f"version 1 of model 'rakuten' is in production by now, and not version {leaving}: no")

    press(models, "Roll back…")
    models.text_input(key="models_reason").set_value("many complaints about pools")
    models.run()
    monkeypatch.setattr(Models, "roll_back", roll_back)
    press(models, "Return to the version before")
    assert any("Another version is in production by now" in message.value for message in models.error)
    assert monitored.journal.rollbacks(9) == []


def test_a_reviewer_does_not_see_the_page(monitored: Monitored, tab: Tab) -> None:
    assert tab.sign_in("rita").open("models").app.title[0].value != "Models"


def test_without_a_monitor_service_the_page_says_how_to_start_it(tab: Tab) -> None:
    assert "python run.py watch" in tab.sign_in("ada").open("models").shown
