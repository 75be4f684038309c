"""The identity of a text is frozen: it is the same for ever, whatever becomes of the model's normalisation."""

import pytest

from catalog import text
from catalog.split_key import KEY_VERSION, text_key
from catalog.splits import split_of
from steps.caching import dependencies

# SHA-256 of `title, unit separator, description` after normalisation. A change here moves rows between the splits.
KEYS = {
    ("Piscine gonflable ronde", None): "8ebf2beb26e115c9",
    ("T&eacute;l&eacute;phone<br/>portable", "<p>Lot&nbsp;de <b>3</b></p>"): "947948034317e882",
    ("Canapé d'angle gris", "Convertible, 3 places"): "88c4b78a86bcb281",
    ("Straße", "Œuvre, cœur"): "aa25ae16d70cdda6",
    ("Ёлка и йод", None): "dffb67e8cafcb15c",
    ("Ἀθῆναι", "Ελλάδα"): "07bd8559f0b20268",
    ("バス", "パス"): "9aa3451ff19d4ae7",
    ("हिन्दी में किताब", None): "7e107cacaf9a5738",
    ("สวัสดีครับ", None): "9c958de7ca4ea96e",
    ("한국어 책", None): "24f3f4b070e31b40",
    ("שָׁלוֹם", "السلام عليكم"): "df3056c7a92c3d24",
    ("ﬁgurine №5 ½", "Ｐｏｏｌ\u3000２"): "f6646cbfcf675f0e",
    ("N\u1eb5ng\u200b \xad\u0142\xf3d\u017a", "\u2764\ufe0f 1\ufe0f\u20e3"): "931009b146d5cd8d",
    ("", ""): "ffe679bb831c95b6",
}
SAME = [
    ("Téléphone <b>portable</b>", "T&eacute;l&eacute;phone portable"),
    ("Téléphone", "TE\u0301LE\u0301PHONE"),
    ("Télé\u00adphone", "Téléphone"),
    ("Télé&shy;phone", "Téléphone"),
    ("Télé\u200bphone\u200d", "Téléphone"),
    ("\u202aTéléphone\u202c\ufeff", "Téléphone"),
    ("ﬁgurine №5", "figurine no5"),
    ("Ｐｏｏｌ　２", "pool 2"),
    ("ﾊﾟｽ", "パス"),
    ("❤\ufe0f", "❤"),
    ("  deux \t mots\n", "deux mots"),
]


def test_the_keys_never_change() -> None:
    assert KEY_VERSION == 1
    assert {pair: text_key(*pair)[:16] for pair in KEYS} == KEYS


@pytest.mark.parametrize(("one", "other"), SAME)
def test_texts_that_look_the_same_have_one_key(one: str, other: str) -> None:
    assert text_key(one, None) == text_key(other, "")
    assert text_key("titre", one) == text_key("titre", other)


@pytest.mark.parametrize(("one", "other"), [("バス", "パス"), ("कि", "की"), ("มา", "ม้า"), ("jeu", "jeux")])
def test_other_words_have_other_keys(one: str, other: str) -> None:
    assert text_key(one, None) != text_key(other, None)


def test_title_and_description_do_not_run_together() -> None:
    assert len({text_key("a b", None), text_key("a", "b"), text_key("", "a b")}) == 3


def test_an_edit_of_the_models_normalisation_moves_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = [f"Téléphone {number} <b>バス</b> &amp; ﬁlm" for number in range(300)]
    before = [split_of(text_key(title, title)) for title in titles]
    for name in ("normalise", "words", "visible", "_in_form", "unescaped", "_folded_elsewhere"):
        monkeypatch.setattr(text, name, lambda *_: "edited")
    assert [split_of(text_key(title, title)) for title in titles] == before
    assert dependencies("catalog.split_key")[0] == {"catalog/split_key.py"}


@pytest.mark.parametrize(
    "raw", ["<!--" * 25_000, "\u0301\u0323" * 50_000, "\u05b0\u05bc" * 50_000, "\u200b\u0301" * 50_000, "&" * 100_000]
)
def test_long_texts_have_keys_too(raw: str) -> None:
    assert len(text_key(raw, raw)) == 64
