"""The door to numba: how functions are compiled here, and where the result is kept.

A kernel works on one frame after the other and allocates nothing in the loop over them. Its results follow from its
arguments alone. Sums are taken in the order in which they are written, but for fused multiply-adds.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_UNCACHED: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True}


def kernel(function: F) -> F:
    """Compile a function at its first call, once a machine."""
    return cast(F, numba.njit(cache=True, **_UNCACHED)(function))


def inner(function: F) -> F:
    """A part of kernels, compiled with each and not cached alone.

    Machine code from the cache can be called but not taken into the caller: a kernel compiled while its parts lie in
    the cache runs several times as long as one compiled with them.
    """
    return cast(F, numba.njit(**_UNCACHED)(function))


def inlined(function: F) -> F:
    """`inner`, written out where it is called: for many arrays, which a call would pass one by one, in a hot loop."""
    return cast(F, numba.njit(inline="always", **_UNCACHED)(function))
