"""No kernel is missing from what is compiled beforehand."""

from importlib import import_module

from numba.core.dispatcher import Dispatcher

from pipeline.mechanics.kernel_cache import KernelCache
from pipeline.mechanics.warm_up import ready
from tests.architecture.imports import all_modules


def kernels() -> dict[str, Dispatcher]:
    """Every kernel of the mechanics, by module and name: what is kept in the cache is called from Python."""
    names = [name for name in all_modules() if f"{name}.".startswith("pipeline.mechanics.")]
    members = {f"{name}.{key}": value for name in names for key, value in vars(import_module(name)).items()}
    return {
        name: member
        for name, member in members.items()
        if isinstance(member, Dispatcher) and isinstance(member._cache, KernelCache)
    }


def test_every_kernel_is_compiled_beforehand() -> None:
    ready()

    assert kernels()
    assert [name for name, one in kernels().items() if not one.signatures] == []
