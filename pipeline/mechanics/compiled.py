"""The door to numba: how functions are compiled here. `kernel_cache.py` keeps the result, `warm_up.py` makes it ready.

A kernel works on one frame after the other and allocates nothing in the loop over them. Its results follow from its
arguments alone. Sums are taken in the order in which they are written, but for fused multiply-adds.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.dispatcher import Dispatcher

from pipeline.mechanics.kernel_cache import SOURCES, KernelCache

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True, "_nrt": False}


class _Part(JITCodeLibrary):
    """Code that only becomes a part of kernels: it is optimised as a whole, and made machine code, with each of them.

    Numba would do both for every function too. numba's version is pinned, since this isn't in its documentation.
    """

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout
        manager, builder = self._codegen._function_pass_manager()
        for function in ll_module.functions:
            if not function.is_declaration:
                manager.run(function, builder)

    def finalize(self) -> None:
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, _: str) -> int:
        """None: there is no machine code."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """What numba asks to tell machine code where its environment is."""
        return self

    def set_env(self, *_: Any) -> None:
        """Nothing: there is no machine code."""


class _PartCompiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        self.state.library = _Part(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


# What only Python needs of a function takes as long to compile as the function.
_INNER: dict[str, Any] = {
    **_OPTIONS,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "pipeline_class": _PartCompiler,
}


def kernel(function: F) -> F:
    """Compile a function that Python calls at its first call, and keep the result for the machine's next process.

    A function outside of the mechanics is compiled once a process. Its callers allocate: numba takes long to compile
    what numpy does in an instant.
    """
    compiled: Any = numba.njit(**_OPTIONS)(function)
    # With NUMBA_DISABLE_JIT set it is the function itself. The cache knows the mechanics' own sources only.
    if isinstance(compiled, Dispatcher) and Path(inspect.getfile(function)).is_relative_to(SOURCES):
        compiled._cache = KernelCache(function)  # type: ignore[attr-defined]
    return cast(F, compiled)


def inner(function: F) -> F:
    """Compile a function that only compiled functions call; it becomes a part of theirs."""
    return cast(F, numba.njit(**_INNER)(function))


def inlined(function: F) -> F:
    """An inner function written out where it is called: for hot loops, and many arrays, which a call passes each."""
    return cast(F, numba.njit(inline="always", **_INNER)(function))
