"""The language of a listing: French, English or German, or undetermined.

Titles often consist of names and numbers, so the language is used to describe the data (reports, slices, drift) and is
never an input of the model. It is decided by frequent function words and the product vocabulary of marketplaces. A word
with a letter that only one of the languages uses counts half a vote for it. Nothing is downloaded or loaded.
"""

import re
from functools import lru_cache
from string import ascii_letters

from catalog.text import visible

LANGUAGES = ("fr", "en", "de")
UNDETERMINED = "und"

_WORD = re.compile(r"[^\W\d_]+")
# Two patterns: each is found by its first character, which is faster than to look for both at once.
_TAG, _ENTITY = re.compile(r"<[^<>]*>"), re.compile(r"&\w+;")
_VOCABULARY = {
    "fr": """
        le la les l un une des du de d et ou où est sont en dans sur sous avec sans pour par au aux ce cette ces cet son
        sa ses leur leurs votre vos notre nos que qui ne pas plus très tout tous toute toutes vous nous il elle ils
        elles être a été neuf neuve occasion livre jeu jeux jouet enfant enfants bébé couleur taille pièces pièce lot
        coffret boîte état bois noir noire blanc blanche bleu rouge vert jardin maison piscine coussin housse table
        chaise figurine carte cartes tome numéro édition éditions revue magazine français française pouces chien chat
        marque qualité livraison garantie avant après comme chez entre jusqu afin ainsi permet idéal facile sac lampe
        voiture""",
    "en": """
        the a an and or of is are in on at with without for by to from this that these those it its you your our their
        be been has have not no all very more new used book game games toy kids children baby color colour size pieces
        piece set box state wood wooden black white blue red green garden house home pool cushion cover table chair
        figure card cards volume edition magazine english inch dog cat brand quality delivery warranty before after like
        between high made easy perfect great bag lamp car can will as""",
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder ist sind in im auf an am mit ohne für von zum
        zur aus bei dieser diese dieses sie ihr ihre unser sein nicht kein keine alle sehr mehr neu gebraucht buch spiel
        spiele spielzeug kinder kind baby farbe größe stück teile teilig zustand holz schwarz weiß blau rot grün garten
        haus pool kissen bezug tisch stuhl figur karte karten band ausgabe zeitschrift deutsch zoll hund katze marke
        qualität lieferung garantie vor nach wie zwischen hoch einfach perfekt tasche lampe auto wird werden als
        auch""",
}
_VOTE = 6  # divisible by the number of languages that may share a word
_BITS = 16  # for the votes of one language in a sum of votes; a text has far fewer
_VOTES_OF_WORD: dict[str, int] = {}  # the votes for all languages in one number, so that `sum` adds them up
for _word in {_each for _words in _VOCABULARY.values() for _each in _words.split()}:
    _speakers = [number for number, language in enumerate(LANGUAGES) if _word in _VOCABULARY[language].split()]
    _VOTES_OF_WORD[_word] = sum((_VOTE // len(_speakers)) << number * _BITS for number in _speakers)
_LETTERS = [
    (re.compile(letters), (_VOTE // 2) << LANGUAGES.index(language) * _BITS)
    for language, letters in (("fr", "[éèêàçùâîôûœ]"), ("de", "[äöüß]"))
]
_READ_AT_MOST = 600  # characters: enough to decide, and a limit on the time for a long description

# Most texts are in Latin-1. Bytes can be translated, three times as fast as a pattern finds words.
_LATIN = "latin-1"
_CHARACTERS = [chr(code) for code in range(256)]
_PLAIN = "".join(each for each in _CHARACTERS if visible(each) == each).encode(_LATIN)
_LOWER_WORDS = "".join(  # every letter in lower case, and a space for everything else
    each.lower() if _WORD.fullmatch(each) else " " for each in _CHARACTERS
).encode(_LATIN)
_ASCII_LETTERS = ascii_letters.encode()
_VOTES_IN_LATIN = {word.encode(_LATIN): votes for word, votes in _VOTES_OF_WORD.items() if max(word) <= "\xff"}


def detect_language(text: str) -> str:
    """Return `fr`, `en` or `de`, or `und` when no language has the most votes."""
    text = text[:_READ_AT_MOST]
    if not _is_plain(text):
        text = visible(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = _ENTITY.sub(" ", text)
    try:
        return _language(_count_in_latin(text.encode(_LATIN)))
    except UnicodeEncodeError:
        return _language(_count(text))


def _is_plain(text: str) -> bool:
    """Return whether `visible` would leave a text as it is; False if that is not certain."""
    try:
        return not text.encode(_LATIN).translate(None, _PLAIN)
    except UnicodeEncodeError:
        return False


def _count_in_latin(text: bytes) -> int:
    """Return what `_count` does, for a text in Latin-1."""
    votes = sum(filter(None, map(_VOTES_IN_LATIN.get, text.translate(_LOWER_WORDS).split())))
    if not text.isascii():
        # Without the letters of ASCII, each word is the accented letters that it has.
        votes += sum(map(_votes_of_latin_letters, text.translate(_LOWER_WORDS, _ASCII_LETTERS).split()))
    return votes


def _count(text: str) -> int:
    """Return the votes of a text's words."""
    found = _WORD.findall(text.lower())
    votes = sum(filter(None, map(_VOTES_OF_WORD.get, found)))
    return votes + sum(_votes_of_letters(word) for word in found if not word.isascii())


@lru_cache(maxsize=4_096)  # words recur
def _votes_of_letters(word: str) -> int:
    return sum(vote for letters, vote in _LETTERS if letters.search(word))


@lru_cache(maxsize=4_096)
def _votes_of_latin_letters(letters: bytes) -> int:
    return _votes_of_letters(letters.decode(_LATIN))


@lru_cache(maxsize=4_096)
def _language(votes: int) -> str:
    by_language = [votes >> number * _BITS & (1 << _BITS) - 1 for number in range(len(LANGUAGES))]
    most = max(by_language)
    return LANGUAGES[by_language.index(most)] if by_language.count(most) == 1 else UNDETERMINED
