"""A cache holds what was used last, and no more bytes than it may."""

import gc
import random
import tracemalloc

import msgspec
import pytest

from tidegate.engine.cache import Cache, size_of


def test_what_was_used_longest_ago_makes_room():
    cache: Cache[str, int] = Cache(100)
    for name in "abc":
        cache.put(name, 1, 30)
    assert cache.get("a") == 1

    cache.put("d", 1, 30)

    assert [cache.get(name) for name in "abcd"] == [1, None, 1, 1]
    assert (cache.weight, len(cache)) == (90, 3)


def test_whatever_is_put_it_never_weighs_more_than_it_may():
    rng = random.Random(7)
    cache: Cache[int, int] = Cache(1_000)
    weights: dict[int, int] = {}
    for _ in range(5_000):
        key, weight = rng.randrange(60), rng.randrange(300)
        weights[key] = weight
        cache.put(key, weight, weight)
        if rng.random() < 0.1:
            cache.drop(rng.randrange(60))
        kept = {key: found for key in weights if (found := cache.get(key)) is not None}
        assert cache.weight == sum(kept.values()) <= 1_000
        assert kept.items() <= weights.items()


def test_what_is_heavier_than_the_cache_is_not_kept_and_drives_nothing_out():
    cache: Cache[str, int] = Cache(100)
    cache.put("small", 1, 10)
    cache.put("large", 1, 10)

    cache.put("large", 2, 101)

    assert cache.get("large") is None, "the old value is not the present one"
    assert cache.get("small") == 1


@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        [random.Random(1).random() for _ in range(10_000)],
        [{"name": f"row {n}", "value": 1_000 + n, "ok": True} for n in range(2_000)],
        [{"a": n + 1_000} for n in range(5_000)],
        [[n + 1_000, n + 2_000] for n in range(5_000)],
        [[[] for _ in range(100)] for _ in range(100)],
        {f"key {n}": [n + 1_000] for n in range(3_000)},
    ],
    ids=lambda value: msgspec.json.encode(value)[:20].decode(),
)
def test_a_value_weighs_about_the_memory_that_it_takes(value):
    encoded = msgspec.msgpack.encode(value)
    gc.collect()
    tracemalloc.start()
    try:
        decoded = msgspec.msgpack.decode(encoded)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / 2 < size_of(decoded) < taken * 2
