"""Two feet together do exactly what the ground must do."""

import numpy as np

from pipeline.virtual.dynamics.shares import FootShare, foot_forces_n, free_moment_nm, settled

N = 9
SHARE = np.linspace(0, 1, N)
# A body of 700 N over feet half a metre apart, pushed by the left one alone, then braked by the right one alone.
WRENCH = np.column_stack(
    [np.linspace(-60, 40, N), np.linspace(-9, 9, N), np.linspace(100, 320, N), np.linspace(210, -140, N),
     np.full(N, 700.0), np.linspace(30, -30, N)]
)  # fmt: skip
CENTRE_M = np.column_stack([np.full(N, 0.3), np.full(N, 1.0), np.zeros(N)])


def feet():
    right = np.tile([0.5, 0.1], (N, 1))
    left = np.tile([0.0, -0.1], (N, 1))
    right[0], left[-1] = np.nan, np.nan
    return settled(
        WRENCH, {"right": FootShare(pressure_m=right, load=SHARE), "left": FootShare(pressure_m=left, load=1 - SHARE)}
    )


def test_forces_and_moments_add_up_to_the_wrench():
    found = feet()
    forces = foot_forces_n(WRENCH, found, CENTRE_M)
    turning = free_moment_nm(WRENCH, found, forces)
    total = np.zeros((N, 6))
    for side, foot in found.items():
        at = np.insert(np.nan_to_num(foot.pressure_m), 1, 0.0, axis=1)
        total[:, :3] += np.cross(at, forces[side])
        total[:, 3:] += forces[side]
    total[:, 1] += turning
    np.testing.assert_allclose(total, WRENCH, atol=1e-9)


def test_a_foot_that_just_comes_or_goes_carries_nothing():
    forces = foot_forces_n(WRENCH, feet(), CENTRE_M)
    np.testing.assert_allclose(forces["right"][0], 0.0, atol=1e-9)
    np.testing.assert_allclose(forces["left"][-1], 0.0, atol=1e-9)


def test_the_trailing_foot_pushes_and_the_leading_foot_brakes():
    forces = foot_forces_n(WRENCH, feet(), CENTRE_M)
    middle = slice(3, -3)
    assert (forces["left"][middle, 0] > 40).all() and (forces["right"][middle, 0] < -40).all()
