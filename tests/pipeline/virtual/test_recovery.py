"""The proof of the virtual laboratory: what the chain finds in a recording without blemishes is what truly happened."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.virtual_laboratory import RECIPE, Walked, errors, size, take
from pipeline.markers.static_trial import read_static
from pipeline.process_trial import process_trial
from pipeline.session.setup import open_session
from pipeline.virtual.make_laboratory import make_laboratory
from pipeline.virtual.request import checked_request

WORST_ANGLE_RMS_DEG = 0.5
# Over a person's three cadences together: the faster the walk, the more the chain's filter takes.
WORST_MOMENT_RMS_NM = 3.0
LEAST_ACCEPTED = 0.85


@pytest.mark.osim
def test_the_chain_recovers_hip_angles_and_moments(tmp_path: Path) -> None:
    request = checked_request(
        tmp_path / "lab", cohort="healthy", subjects=1, conditions="slow,med,fast", trials=1, seed=1, blemishes="none"
    )
    (folder,) = make_laboratory(request, on_session=lambda _: None)
    setup = open_session(str(folder / "session.toml"), RECIPE, None)
    static = read_static(setup)
    model = size(setup, static, tmp_path)

    walks = []
    for trial in setup.session.trials:
        recovered = process_trial(setup, trial, static, model, tmp_path)
        walks.append(errors(recovered, folder / "truth" / f"{trial.name}.motion.parquet"))

    assert len(walks) == 3
    for name in ("hip_flexion_r", "hip_adduction_r", "hip_rotation_r"):
        for found in walks:
            assert len(found["degrees"][name]) > 80
            assert np.sqrt(np.mean(found["degrees"][name] ** 2)) < WORST_ANGLE_RMS_DEG, name
        moments = np.concatenate([found["N·m"][name] for found in walks])
        assert np.sqrt(np.mean(moments**2)) < WORST_MOMENT_RMS_NM, name


@pytest.mark.osim
@pytest.mark.long
def test_only_walks_with_a_blemish_that_deserves_it_are_rejected(tmp_path: Path) -> None:
    request = checked_request(
        tmp_path / "lab",
        cohort="healthy",
        subjects=16,
        conditions="slow,med,fast",
        trials=1,
        seed=3,
        blemishes="default",
    )
    folders = make_laboratory(request, on_session=lambda _: None)
    walks = [walk for folder in folders for walk in take(folder)]

    assert len(walks) == 48
    assert sum(not walk.rejected for walk in walks) / len(walks) >= LEAST_ACCEPTED
    assert not [f"{walk.name}: {walk.rejected}" for walk in walks if walk.undeserved()]


@pytest.mark.parametrize(
    ("given", "undeserved"),
    [
        ((), True),
        ((("gap", "R_FM2"),), False),
        ((("gap", "L_FM2"),), True),
        ((("gap", "L_FM2"), ("half_off_plate", "right")), False),
    ],
)
def test_a_gap_deserves_a_rejection_only_if_its_marker_is_named(given: tuple, undeserved: bool) -> None:
    walk = Walked(name="walk", errors={}, rejected="inverse_kinematics: the largest marker error (R_FM2)", given=given)
    assert walk.undeserved() is undeserved
