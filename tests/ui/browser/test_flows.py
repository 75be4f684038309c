"""What people do with the page, in a real browser on real services."""

import re
from pathlib import Path

import pytest

from tests.ui.browser.conftest import Site

pytestmark = pytest.mark.browser

ROWS = (
    "sku;Titre;Description\n1;Piscine gonflable ronde;avec pompe et filtre\n2;;sans titre\n"
    "3;Manette sans fil pour console;Bluetooth, noire\n4;Chaise de bureau ergonomique;cuir\n5;XZ 440;\n"
    "6;Livre de cuisine de grand-mère;recettes\n7;=1+1;\n8;Coussin de canapé en velours;45 x 45 cm\n"
)


def test_a_user_classifies_says_what_is_right_looks_back_and_signs_out(site: Site) -> None:
    with site.visit() as visit:
        visit.picture("sign-in")
        visit.sign_in("ulf")
        page = visit.page
        page.get_by_label("Title", exact=True).fill("Piscine gonflable ronde pour enfants")
        page.get_by_label("Description (optional)").fill("Avec pompe et filtre. Diamètre 3 m, pour le jardin.")
        page.get_by_label("Description (optional)").press("Control+Enter")
        visit.see("Why this type")
        visit.settle()
        visit.picture("classify")
        page.get_by_label("Description (optional)").press("Alt+y")
        visit.see("Thank you. Stored as")
        visit.open("History")
        page.get_by_role("heading", name="Your history").wait_for()
        visit.press("Export as CSV")
        with page.expect_download() as download:
            visit.press("Download history.csv")
        assert "Piscine gonflable ronde pour enfants" in Path(download.value.path()).read_text(encoding="utf-8-sig")
        visit.picture("history")
        visit.press("Erase all")
        visit.see("It cannot be undone")
        visit.press("Erase everything")
        visit.see("You have not classified anything yet")
        visit.press("Sign out")
        page.get_by_label("Password", exact=True).wait_for()


def test_a_catalogue_is_classified_corrected_and_taken_away(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text(ROWS, encoding="cp1252")
    with site.visit("catalogue") as visit:
        visit.sign_in("uma")
        visit.page.locator("input[type=file]").set_input_files(file)
        visit.see("1 row cannot be classified")
        visit.picture("catalogue-columns")
        visit.press("Classify 7 listings")
        visit.see("7 listings are classified")
        visit.settle()
        visit.picture("catalogue")
        for name, suffix in (("Download as CSV", ".csv"), ("Download as Excel", ".xlsx")):
            with visit.page.expect_download() as download:
                visit.press(name)
            assert download.value.suggested_filename == f"catalogue-types{suffix}"
            assert Path(download.value.path()).stat().st_size > 500
        visit.page.get_by_text(re.compile(r"^Uncertain")).click()
        visit.settle()


def test_the_page_speaks_the_language_of_the_browser(site: Site) -> None:
    with site.visit(locale="fr-FR") as visit:
        visit.page.get_by_label("Mot de passe", exact=True).wait_for()
        visit.page.wait_for_function("document.documentElement.lang === 'fr'")
