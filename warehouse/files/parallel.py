"""Many small files at once: what waits for a disk or an object store need not wait alone."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_THREADS = 8
# Results that wait for the one before them are held in memory: this many at most.
_AT_ONCE = 256


def map_in_order(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """`map`, with several calls under way at a time. The first error ends it."""
    remaining = iter(items)
    with ThreadPoolExecutor(_THREADS) as pool:
        while batch := list(islice(remaining, _AT_ONCE)):
            yield from pool.map(function, batch)
