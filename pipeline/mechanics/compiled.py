"""The door to numba: how functions are compiled here, and where the result is kept.

A kernel works on one frame after the other and allocates nothing in the loop over them. Its results follow from its
arguments alone. Sums are taken in the order in which they are written, but for fused multiply-adds.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True}


def kernel(function: F) -> F:
    """Compile a function that Python calls, at its first call, and keep the result for the next process.

    Inner functions take far less time to compile with `inner`, and so do arrays that the caller allocates.
    """
    return cast(F, numba.njit(**_OPTIONS, cache=True)(function))


def inner(function: F) -> F:
    """Compile a function that only compiled functions call; it becomes a part of theirs."""
    return cast(F, numba.njit(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function))
