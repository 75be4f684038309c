"""A bounded memory of results that are valid for a while."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class TimedCache(Generic[_Key, _Value]):
    """Keeps up to `most` values, each for so many seconds. The oldest one gives way.

    Safe to use from several threads.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, tuple[float, _Value]] = OrderedDict()

    def get(self, key: _Key) -> tuple[_Value] | None:
        """Return a value that is still valid, as a tuple of one, since a value may be None. None: there is none."""
        with self._lock:
            found = self._kept.get(key)
            return (found[1],) if found and self._clock() - found[0] <= self._seconds else None

    def put(self, key: _Key, value: _Value) -> None:
        """Keep a value from now on."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = self._clock(), value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._kept.clear()
