"""Trees of bodies made of numbers alone, for laws that hold whatever the bodies are."""

from typing import Any

import numpy as np

from pipeline.mechanics.arrays import Functions, Tree

# Steps of the joint that carries each body: whether it turns, and its coordinate.
SIX_FREE = tuple((turns, c) for c, turns in enumerate((False,) * 3 + (True,) * 3))
# A knee: one coordinate slides and turns its shank about three axes.
KNEE = ((False, 6), (False, 6), (True, 6), (True, 6), (True, 6))
ANKLE = ((True, 7), (True, 8))
PARENTS = (0, 0, 1, 2)
N_COORDINATES = 10  # the last one is a coupled patella's, carried by the thigh


def leg(seed: int = 0, *, gravity: bool = True) -> Tree:
    """A free thigh, a knee of one coordinate, an ankle of two, and a patella that follows the knee by a curve."""
    random = np.random.default_rng(seed)
    joints = ((), SIX_FREE, KNEE, ANKLE, ((True, 9),))
    parent = np.array([*PARENTS, 1])
    axes = [axis for joint in joints for axis in joint]
    first_axis = np.cumsum([0, *map(len, joints)])
    n_bodies, n_axes = len(joints), len(axes)
    curves = np.zeros((n_axes + 1, 6))
    curves[:, 1] = 1.0
    bent = [i for i, (_, c) in enumerate(axes) if c == 6] + [n_axes]
    curves[bent, :4] = random.uniform(-0.5, 0.5, (len(bent), 4))
    omitted = np.full((n_bodies, 2), -1)
    omitted[2] = first_axis[2] + [3, 4]
    return Tree(
        parent=parent,
        joint_rotation=_rotations(random, n_bodies),
        joint_origin_m=random.uniform(-0.3, 0.3, (n_bodies, 3)),
        body_rotation=_rotations(random, n_bodies),
        body_origin_m=random.uniform(-0.1, 0.1, (n_bodies, 3)),
        first_axis=first_axis,
        turns=np.array([turns for turns, _ in axes]),
        coordinate=np.array([c for _, c in axes]),
        function=np.arange(n_axes),
        direction=_units(random, n_axes),
        moved=np.repeat(np.arange(n_bodies), np.diff(first_axis)),
        **_carriers(parent, first_axis),
        omitted=omitted,
        mass_kg=np.r_[0.0, random.uniform(0.5, 8, n_bodies - 1)],
        centre_m=random.uniform(-0.2, 0.2, (n_bodies, 3)),
        inertia_kg_m2=np.array([_inertia(random) for _ in range(n_bodies)]),
        gravity_m_s2=np.array([0.0, -9.81, 0.0]) if gravity else np.zeros(3),
        dependent=np.array([9]),
        driver=np.array([6]),
        coupling=np.array([n_axes]),
        functions=Functions(
            first=np.arange(n_axes + 2),
            start=np.zeros(n_axes + 1),
            coefficients=curves,
            low=np.full(n_axes + 1, -np.inf),
            high=np.full(n_axes + 1, np.inf),
        ),
    )


def motions(n_frames: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, speeds and accelerations (T, Q) that nothing ties to each other."""
    values, speeds, accelerations = np.random.default_rng(seed).uniform(-1, 1, (3, n_frames, N_COORDINATES))
    return values, speeds, accelerations


def _units(random: np.random.Generator, n: int) -> np.ndarray:
    vectors = random.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _rotations(random: np.random.Generator, n: int) -> np.ndarray:
    turned = np.array([np.linalg.qr(random.normal(size=(3, 3)))[0] for _ in range(n)])
    return np.ascontiguousarray(turned * np.sign(np.linalg.det(turned))[:, None, None])


def _inertia(random: np.random.Generator) -> np.ndarray:
    spread = random.uniform(-0.3, 0.3, (3, 3))
    second = spread @ spread.T + 0.01 * np.eye(3)
    return np.trace(second) * np.eye(3) - second


def _carriers(parent: np.ndarray, first_axis: np.ndarray) -> dict[str, Any]:
    chains: list[list[int]] = [[]]
    for body in range(1, len(parent)):
        chains.append([*chains[parent[body]], *range(first_axis[body], first_axis[body + 1])])
    return {
        "first_carrier": np.cumsum([0, *map(len, chains)]),
        "carrier": np.array([axis for chain in chains for axis in chain]),
    }
