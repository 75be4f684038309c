"""What the model counts: the definition of a block, shared by training (`catalog.features`) and serving."""

from dataclasses import dataclass
from itertools import chain
from typing import Literal

from catalog.text import character_terms, with_pairs

Field = Literal["title", "description", "both"]
Kind = Literal["words", "characters"]


@dataclass(frozen=True)
class Block:
    """One kind of term, counted in one field of the listing.

    `field` `both` reads title and description together, which helps where one of them is missing. `kind` `words` counts
    single words, and with `longest` 2 pairs of neighbouring words too. `kind` `characters` counts the n-grams of
    `shortest` to `longest` characters within each word.

    Training leaves out terms that occur in fewer than `minimum_listings` listings, and keeps at most `maximum_terms`:
    those in the most listings. Every listing's row of the block is scaled to the length `weight`.
    """

    field: Field
    kind: Kind
    shortest: int = 1
    longest: int = 2
    minimum_listings: int = 2
    maximum_terms: int = 200_000
    weight: float = 1.0

    def tokens(self, title: list[str], description: list[str]) -> list[str]:
        """Return the words that the block reads, from the words of a listing's two fields."""
        if self.field == "title":
            return title
        return description if self.field == "description" else title + description

    def terms(self, tokens: list[str]) -> list[str]:
        """Return all terms of the words that the block reads, repeated as often as they occur.

        A pair of words is one term with a space between them: `"first second"`. In an n-gram a space marks the
        beginning or the end of the word.
        """
        if self.kind == "characters":
            return list(chain.from_iterable(character_terms(token, self.shortest, self.longest) for token in tokens))
        return with_pairs(tokens) if self.longest > 1 else tokens
