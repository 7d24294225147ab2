"""What the cache keeps of layers and styles, and what it forgets."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from scumble.backend.engines.cache import TensorCache, size_of


def test_the_cache_never_holds_more_bytes_than_its_limit_and_forgets_the_oldest_first() -> None:
    one = size_of(torch.zeros(1000))
    cache = TensorCache(3 * one)
    for name in "abc":
        cache.put(name, torch.zeros(1000))
    assert cache.get("a") is not None  # now b is the oldest
    cache.put("d", torch.zeros(1000))
    assert cache.get("b") is None and all(cache.get(n) is not None for n in "acd")
    cache.put("huge", torch.zeros(5000))
    assert cache.get("huge") is None and len(cache) == 3
    cache.put("a", {"x": (torch.zeros(1000), [torch.zeros(1000)])})
    assert cache.bytes <= cache.limit and cache.get("a") is not None
    cache.clear()
    assert cache.bytes == 0 and len(cache) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 4000)), max_size=60))
def test_whatever_is_put_the_cache_counts_what_it_holds(puts: list[tuple[str, int]]) -> None:
    cache = TensorCache(20_000)
    for name, count in puts:
        cache.put(name, torch.zeros(count))
        assert cache.bytes <= 20_000
        assert cache.bytes == sum(size_of(cache.get(n)) for n in "abcdef" if cache.get(n) is not None)


def test_a_view_counts_with_all_that_it_keeps_alive() -> None:
    base = torch.zeros(100_000)
    assert size_of(base[:10]) == size_of(base)
    assert size_of((base, base[5:])) == size_of(base)
