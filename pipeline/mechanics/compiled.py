"""The door to numba: how functions are compiled here. `kernel_cache.py` keeps the result, `warm_up.py` makes it ready.

A kernel works on one frame after the other and allocates nothing in the loop over them. Its results follow from its
arguments alone. Sums are taken in the order in which they are written, but for fused multiply-adds.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.dispatcher import Dispatcher

from pipeline.mechanics.kernel_cache import SOURCES, KernelCache

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function at its first call, once a machine; one outside of the mechanics, once a process."""
    compiled: Any = numba.njit(error_model="numpy", fastmath={"contract", "nsz"}, nogil=True)(function)
    # With NUMBA_DISABLE_JIT set it is the function itself. The cache knows the mechanics' own sources only.
    if isinstance(compiled, Dispatcher) and Path(inspect.getfile(function)).is_relative_to(SOURCES):
        compiled._cache = KernelCache(function)  # type: ignore[attr-defined]
    return cast(F, compiled)
