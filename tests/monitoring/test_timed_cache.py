"""Values are kept for a while, and only so many of them."""

from monitoring.timed_cache import TimedCache


def test_a_value_is_kept_for_its_time_and_none_is_a_value() -> None:
    now = [0.0]
    cache: TimedCache[str, int | None] = TimedCache(15, 9, lambda: now[0])
    assert cache.get("a") is None
    cache.put("a", None)
    now[0] = 15
    assert cache.get("a") == (None,)
    now[0] = 15.1
    assert cache.get("a") is None


def test_the_oldest_value_gives_way() -> None:
    cache: TimedCache[str, int] = TimedCache(15, 2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        cache.put(key, value)
    assert [cache.get(key) for key in "abc"] == [(3,), None, (4,)]
    cache.clear()
    assert cache.get("a") is None
