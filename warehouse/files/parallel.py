"""Many small files at once: while one waits for the disk or the object store, others are read."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_THREADS = 8
# Results held in memory until the ones before them are ready, at most.
_AT_ONCE = 256


def map_in_order(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """`map` with several calls at a time; results come in the order of the items. The first error is raised."""
    remaining = iter(items)
    with ThreadPoolExecutor(_THREADS) as pool:
        while batch := list(islice(remaining, _AT_ONCE)):
            yield from pool.map(function, batch)
