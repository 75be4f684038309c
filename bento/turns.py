"""Long work on the event loop, in pieces: one piece at a time, and between two pieces everything else gets its turn."""

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import TypeVar

_Result = TypeVar("_Result")
# Work that returns its result. Between its pieces it yields whether other long work may come next, too; if not (False,
# or None), it needs what the last piece has put into a cache.
Pieces = Generator[bool | None, None, _Result]

# A request takes some turns of the event loop. If each turn waited for a piece of a batch, a prediction would take ten
# times as long beside a batch as alone. So the loop turns on while it finds something to do, but not for ever.
_TURNS = 12
_BUSY_TURN = 0.0002  # seconds: in a shorter turn nothing else was done


class Turns:
    """Runs pieces of work by turns. All long work of a process shares one of these."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()  # gives turns in the order in which they were asked for

    async def run(self, pieces: Pieces[_Result]) -> _Result:
        """Run the pieces and return the result. May be cancelled between two pieces."""
        while True:
            async with self._lock:
                others_may_follow: bool | None = False
                while not others_may_follow:
                    try:
                        others_may_follow = next(pieces)
                    except StopIteration as end:
                        result: _Result = end.value
                        return result
                    finally:
                        await _let_others_run()


async def _let_others_run() -> None:
    for _ in range(_TURNS):
        before = perf_counter()
        await asyncio.sleep(0)
        if perf_counter() - before < _BUSY_TURN:
            return
