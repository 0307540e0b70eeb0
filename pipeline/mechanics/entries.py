"""The kernels that Python calls, each with arguments: what `warm_up.py` has compiled.

A kernel is compiled for the types of its arguments, and those of the tiny model are those of any model that
`pipeline/osim/arrays/` reads. Kernels that only kernels call need no entry.
"""

from collections.abc import Callable
from typing import Any

from pipeline.mechanics.bodies.forward import new_pose, place_bodies
from pipeline.mechanics.tiny_model import tiny_tree, tiny_values

# What compiling all of them takes on a core of today.
COMPILING_S = 10

ENTRIES: dict[Callable[..., Any], Callable[[], tuple[Any, ...]]] = {
    new_pose: lambda: (tiny_tree(),),
    place_bodies: lambda: (tiny_tree(), tiny_values(), new_pose(tiny_tree())),
}
