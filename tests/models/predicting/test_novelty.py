"""Motion like the training subjects' is known, and what is unlike it is named."""

from dataclasses import replace

import numpy as np
import pytest

from models.data.channels import ANGLE_CHANNELS
from models.data.cycles import Cycles
from models.predicting.novelty import fit_known_motion, known_motion_from_bytes
from tests.models.samples import made_cycles

N_SUBJECTS = 40


def walkers(seed: int, n_subjects: int) -> Cycles:
    """People whose angles share one shape, with deviations of their own of about two degrees."""
    rng = np.random.default_rng(seed)
    cycles = made_cycles(n_subjects=n_subjects)
    phase = np.linspace(0, 2 * np.pi, cycles.n_points)[:, None]
    shape = 20 * np.cos(phase + np.arange(len(ANGLE_CHANNELS)))
    own = rng.normal(scale=2, size=(n_subjects, 3, len(ANGLE_CHANNELS))).repeat(4, axis=0)
    own = own + rng.normal(scale=0.5, size=own.shape)
    angles = shape + own[:, :1] + own[:, 1:2] * np.cos(phase) + own[:, 2:] * np.sin(phase)
    return replace(cycles, angles_deg=angles.astype(np.float32))


@pytest.fixture(scope="module")
def train() -> Cycles:
    return walkers(1, N_SUBJECTS)


def test_one_in_twenty_people_of_the_same_kind_is_outside(train: Cycles) -> None:
    known = fit_known_motion(train)
    assert known is not None

    strangers = known.novelty(walkers(2, 200).angles_deg)

    assert 0.01 < strangers.outside.mean() < 0.1
    assert known.n_subjects.tolist() == [N_SUBJECTS]


def test_the_angle_that_is_unlike_the_others_is_named(train: Cycles) -> None:
    known = fit_known_motion(train)
    assert known is not None
    angles = walkers(3, 1).angles_deg
    stiff = angles.copy()
    knee = [angle.name for angle in ANGLE_CHANNELS].index("knee_angle_r")
    stiff[0, :, knee] = stiff[0, :, knee].mean() + 15

    novelty = known.novelty(stiff)

    assert novelty.outside[0]
    assert novelty.angles_outside(0)[0] == "knee_angle_r"
    assert not novelty.outside[1:].any()
    assert novelty.angles_outside(1) == ()


def test_few_subjects_set_the_limit_at_their_farthest_and_two_set_none() -> None:
    few = walkers(4, 5)

    known = fit_known_motion(few)

    assert known is not None
    assert (known.novelty(few.angles_deg).together <= 1).all()
    assert fit_known_motion(few.of(few.subjects[:2])) is None


def test_what_is_read_is_what_was_stored_and_damage_is_named(train: Cycles) -> None:
    known = fit_known_motion(train)
    assert known is not None
    content = known.to_bytes()

    again = known_motion_from_bytes("novelty.safetensors", content).novelty(train.angles_deg)

    np.testing.assert_allclose(again.ratio, known.novelty(train.angles_deg).ratio, rtol=1e-12)
    with pytest.raises(ValueError, match=r"run/novelty\.safetensors is damaged"):
        known_motion_from_bytes("run/novelty.safetensors", content[:-8])
    with pytest.raises(ValueError, match="have the shapes"):
        replace(known, limit=np.ones(3))
