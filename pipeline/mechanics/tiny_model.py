"""The smallest model that has one of everything, made of arrays alone: what kernels are compiled with, and tested on.

A slider moves along x and carries a thigh that hangs from a pin (about z); a cylinder turns on the thigh with the
slider. One marker, and one muscle from the slider over the cylinder to the thigh.
"""

import numpy as np

from pipeline.mechanics.arrays import (
    CYLINDER,
    FIXED,
    NO_SLIP,
    FibreCurves,
    Fibres,
    Functions,
    MarkerPlaces,
    Paths,
    Tree,
)

# Bodies, and axes with their coordinates.
GROUND, SLIDER, THIGH = 0, 1, 2
SLIDE, PIN, FOLLOW = 0, 1, 2
# Functions by their number.
_SAME, _HALF = 0, 1


def tiny_tree() -> Tree:
    """Ground, slider and thigh. The third coordinate, a turn of the thigh about its length, is half of the first."""
    return Tree(
        parent=_whole(GROUND, GROUND, SLIDER),
        joint_rotation=_frames(3),
        joint_origin_m=np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -0.1, 0.0]]),
        body_rotation=_frames(3),
        body_origin_m=np.zeros((3, 3)),
        first_axis=_whole(0, 0, 1, 3),
        turns=np.array([False, True, True]),
        coordinate=_whole(SLIDE, PIN, FOLLOW),
        function=_whole(_SAME, _SAME, _SAME),
        direction=np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
        moved=_whole(SLIDER, THIGH, THIGH),
        first_carrier=_whole(0, 0, 1, 4),
        carrier=_whole(0, 0, 1, 2),
        omitted=np.full((3, 2), -1, dtype=np.int64),
        mass_kg=np.array([0.0, 3.0, 8.0]),
        centre_m=np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, -0.2, 0.0]]),
        inertia_kg_m2=np.array([np.zeros((3, 3)), 0.02 * np.eye(3), np.diag([0.1, 0.02, 0.1])]),
        gravity_m_s2=np.array([0.0, -9.80665, 0.0]),
        dependent=_whole(FOLLOW),
        driver=_whole(SLIDE),
        coupling=_whole(_HALF),
        functions=Functions(
            first=_whole(0, 1, 2),
            start=np.zeros(2),
            coefficients=np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.0, 0.0, 0.0]]),
            low=np.full(2, -np.inf),
            high=np.full(2, np.inf),
        ),
    )


def tiny_markers() -> MarkerPlaces:
    """One marker, on the thigh."""
    return MarkerPlaces(body=_whole(THIGH), place_m=np.array([[0.05, -0.3, 0.02]]))


def tiny_paths() -> Paths:
    """One muscle, from the slider's front around a cylinder at the pin to the thigh."""
    return Paths(
        first_point=_whole(0, 2),
        point_kind=_whole(FIXED, FIXED),
        point_body=_whole(SLIDER, THIGH),
        point_m=np.array([[0.06, 0.1, 0.0], [0.02, -0.25, 0.0]]),
        point_rotation=_frames(2),
        point_function=np.full((2, 3), -1, dtype=np.int64),
        point_coordinate=np.full((2, 3), -1, dtype=np.int64),
        point_low=np.full(2, -np.inf),
        point_high=np.full(2, np.inf),
        first_wrap=_whole(0, 1),
        wrap_surface=_whole(0),
        wrap_from=_whole(0),
        wrap_to=_whole(1),
        surface_kind=_whole(CYLINDER),
        surface_body=_whole(SLIDER),
        surface_rotation=_frames(1),
        surface_origin_m=np.array([[0.0, -0.1, 0.0]]),
        surface_size=np.array([[0.05, 0.2]]),
        surface_axis=_whole(0),
        surface_sign=_whole(1),
        first_touched=_whole(0, 2),
        touched=_whole(SLIDER, THIGH),
        first_crossed=_whole(0, 2),
        crossed=_whole(1, 2),
    )


def tiny_fibres() -> Fibres:
    """One muscle's fibres, with curves of one straight piece each: enough to be computed with, and no physiology."""
    return Fibres(
        strength_n=np.array([1000.0]),
        optimal_m=np.array([0.1]),
        tendon_m=np.array([0.2]),
        thickness_m=np.array([0.01]),
        fastest_per_s=np.array([10.0]),
        shortest_m=np.array([0.03]),
        shortest_along_m=np.array([0.028]),
        active=_whole(0),
        velocity=_whole(1),
        passive=_whole(2),
        slip=_whole(NO_SLIP),
        curves=FibreCurves(
            functions=Functions(
                first=_whole(0, 1, 2, 3),
                start=np.zeros(3),
                coefficients=np.array(
                    [
                        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                        [1.0, 0.5, 0.0, 0.0, 0.0, 0.0],
                        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                    ]
                ),
                low=np.array([0.0, -1.0, 0.0]),
                high=np.array([2.0, 1.0, 2.0]),
            ),
            per_unit=np.zeros(3),
            first_bin=_whole(0, 1, 2, 3),
            piece=_whole(0, 1, 2),
        ),
    )


def tiny_values() -> np.ndarray:
    """Coordinates (3,) that keep the coupling."""
    return np.array([0.1, 0.4, 0.05])


def _whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def _frames(n: int) -> np.ndarray:
    """(n, 3, 3): as the frames that they are in."""
    return np.ascontiguousarray(np.tile(np.eye(3), (n, 1, 1)))
