"""The door to numba: how functions are compiled here, and where the result is kept.

A kernel works on one frame after the other and allocates nothing in the loop over them. Its results follow from its
arguments alone. Sums are taken in the order in which they are written, but for fused multiply-adds.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True}


def kernel(function: F) -> F:
    """Compile a function at its first call, once a machine."""
    return cast(F, numba.njit(**_OPTIONS)(function))


def inlined(function: F) -> F:
    """A kernel written out where another calls it: for a hot loop, and many arrays, which a call passes one by one."""
    return cast(F, numba.njit(inline="always", **_OPTIONS)(function))
