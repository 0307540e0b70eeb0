"""A planar arm of two pins as arrays, whose every pose is known. The same as in `tests/pipeline/osim/arm.py`."""

from collections.abc import Sequence

import numpy as np

from pipeline.mechanics.arrays import Functions, MarkerPlaces, Tree
from pipeline.mechanics.markers.fit import CoordinateRoles, tracking_problem
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem
from tests.pipeline.osim.arm import MARKERS, UPPER_M

RATE_HZ = 100.0
ELBOW_DEFAULT = 0.3
_LINE = 0


def arm_tree() -> Tree:
    """Ground, upper arm and forearm; both pins turn about z, coordinates 0 and 1."""
    eye, whole = np.tile(np.eye(3), (3, 1, 1)), np.int64
    return Tree(
        parent=np.array([0, 0, 1], dtype=whole),
        joint_rotation=eye,
        joint_origin_m=np.array([[0, 0, 0], [0, 0, 0], [0, -UPPER_M, 0]], dtype=float),
        body_rotation=eye.copy(),
        body_origin_m=np.zeros((3, 3)),
        first_axis=np.array([0, 0, 1, 2], dtype=whole),
        turns=np.array([True, True]),
        coordinate=np.array([0, 1], dtype=whole),
        function=np.array([_LINE, _LINE], dtype=whole),
        direction=np.tile([0.0, 0.0, 1.0], (2, 1)),
        moved=np.array([1, 2], dtype=whole),
        first_carrier=np.array([0, 0, 1, 3], dtype=whole),
        carrier=np.array([0, 0, 1], dtype=whole),
        omitted=np.full((3, 2), -1),
        mass_kg=np.array([0.0, 1.0, 1.0]),
        centre_m=np.zeros((3, 3)),
        inertia_kg_m2=np.zeros((3, 3, 3)),
        gravity_m_s2=np.array([0.0, -9.81, 0.0]),
        dependent=np.zeros(0, dtype=whole),
        driver=np.zeros(0, dtype=whole),
        coupling=np.zeros(0, dtype=whole),
        functions=Functions(
            first=np.array([0, 1], dtype=whole),
            start=np.zeros(1),
            coefficients=np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]),
            low=np.array([-np.inf]),
            high=np.array([np.inf]),
        ),
    )


def arm_problem(
    weights: Sequence[float] = (1, 1, 1),
    tasks: Sequence[tuple[int, float, float]] = (),
    low: Sequence[float] = (-np.inf, -np.inf),
    high: Sequence[float] = (np.inf, np.inf),
) -> TrackingProblem:
    """The arm's problem; its free coordinates are put in the order shoulder, elbow."""
    numbers = {"upper": 1, "fore": 2}
    markers = MarkerPlaces(
        body=np.array([numbers[body] for body, _ in MARKERS.values()], dtype=np.int64),
        place_m=np.array([place for _, place in MARKERS.values()], dtype=float),
    )
    no = np.zeros(2, dtype=bool)
    roles = CoordinateRoles(
        locked=no, low=np.array(low, dtype=float), high=np.array(high, dtype=float), residual=no, rotational=~no
    )
    problem = tracking_problem(arm_tree(), markers, np.array(weights, dtype=float), roles, tasks)
    return problem._replace(free=np.array([0, 1]), low=roles.low, high=roles.high)


def held_poses(n_frames: int) -> np.ndarray:
    return np.tile([0.0, ELBOW_DEFAULT], (n_frames, 1))


def times_s(n_frames: int) -> np.ndarray:
    return np.arange(n_frames) / RATE_HZ


def arm_frames(positions: np.ndarray) -> TrackedFrames:
    """NaN is a marker out of sight."""
    seen = np.isfinite(positions).all(axis=2)
    return TrackedFrames(
        measured_m=np.where(seen[..., None], positions, 0.0), seen=seen, held=held_poses(len(positions))
    )


def arm_swing(n_frames: int = 70) -> tuple[np.ndarray, np.ndarray]:
    t = times_s(n_frames)
    return 0.4 * np.sin(4 * t), 0.9 + 0.3 * np.sin(6 * t)
