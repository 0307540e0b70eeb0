"""The tiny model is a model: its arrays agree, its coupling holds, and its thigh hangs where it must."""

import numpy as np

from pipeline.mechanics.bodies.poses import body_places
from pipeline.mechanics.tiny_model import (
    FOLLOW,
    PIN,
    SLIDE,
    THIGH,
    tiny_fibres,
    tiny_markers,
    tiny_paths,
    tiny_tree,
    tiny_values,
)


def arrays(record):
    for value in record:
        yield from arrays(value) if isinstance(value, tuple) else (value,)


def test_arrays_are_of_the_kinds_that_kernels_are_compiled_for() -> None:
    for record in (tiny_tree(), tiny_markers(), tiny_paths(), tiny_fibres()):
        for array in arrays(record):
            assert array.dtype in (np.float64, np.int64, np.bool_)
            assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned


def test_sizes_agree() -> None:
    tree, paths = tiny_tree(), tiny_paths()
    n_bodies, n_axes = len(tree.parent), len(tree.turns)

    assert tree.first_axis[-1] == n_axes == len(tree.moved)
    assert len(tree.first_axis) == len(tree.first_carrier) == n_bodies + 1
    assert tree.first_carrier[-1] == len(tree.carrier)
    assert all(len(of_bodies) == n_bodies for of_bodies in (tree.mass_kg, tree.centre_m, tree.inertia_kg_m2))
    assert paths.first_point[-1] == len(paths.point_kind) and paths.first_wrap[-1] == len(paths.wrap_surface)
    assert tiny_markers().body[0] == paths.touched[-1] == THIGH


def test_the_coupling_holds() -> None:
    values = tiny_values()

    assert values[FOLLOW] == 0.5 * values[SLIDE]


def test_the_thigh_hangs_from_the_slider() -> None:
    tree, values = tiny_tree(), tiny_values()

    rotation, origin_m = (each[0] for each in body_places(tree, values[None]))

    tip = origin_m[THIGH] + rotation[THIGH] @ [0.0, -0.4, 0.0]
    expected = [values[SLIDE] + 0.4 * np.sin(values[PIN]), 0.9 - 0.4 * np.cos(values[PIN]), 0.0]
    np.testing.assert_allclose(tip, expected, atol=1e-15)
