from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import Coordinates
from pipeline.solving.engine_differences import of_paths

pytestmark = [pytest.mark.osim, pytest.mark.data]
compared = pytest.importorskip("pipeline.osim.compared_paths")
muscle_models = pytest.importorskip("tests.pipeline.mechanics.muscles.muscle_models")

GASTROCNEMII = {"gasmed_r", "gaslat_r", "gasmed_l", "gaslat_l"}


@pytest.fixture(scope="module")
def model(shared_data: Path) -> Path:
    file: Path = shared_data / muscle_models.FILES["walking_3d"]
    return file


@pytest.fixture(scope="module")
def motion(model: Path) -> Coordinates:
    """Twenty poses anywhere in the joints' ranges."""
    one = muscle_models.read_muscle_model(model)
    shared = compared.shared_model(model)
    values = one.poses(20)[:, [one.coordinates.index(name) for name in shared.names]]
    return Coordinates(
        time_s=np.arange(20) / 100,
        names=shared.names,
        rotational=np.array([coordinate.rotational for coordinate in shared.summary.coordinates]),
        values=values,
    )


@pytest.fixture(scope="module")
def paths(model: Path, motion: Coordinates) -> object:
    return compared.compared_paths(model, motion)


def verdict(paths: object) -> dict[str, bool]:
    found = of_paths(paths.length_m, paths.through_points_m, paths.arms_apart_m, paths.cut_short)
    return {one.what: one.agrees for one in found}


def test_our_paths_are_opensim_s_through_its_points(paths: object) -> None:
    assert all(verdict(paths).values())


def test_a_path_that_opensim_cuts_short_turns_the_whole_body_and_ours_does_not(
    model: Path, motion: Coordinates, paths: object
) -> None:
    """A muscle's two ends pull on each other: whatever its way, it neither moves nor turns the body as a whole."""
    shared, cut = compared.shared_model(model), paths.cut_short
    still = np.zeros(motion.values.shape)
    whole_body = [k for k, name in enumerate(shared.names) if name.startswith("pelvis_")]
    ours = compared.muscle_paths(shared.skeleton.tree, shared.muscles.opensim_paths, motion.values, still)
    theirs = compared.asked_muscles(shared.model, motion.values, still)
    our_turn, their_turn = (np.abs(found.per_newton[:, :, whole_body]).max(axis=2) for found in (ours, theirs))
    assert set(paths.muscles_cut_short) <= GASTROCNEMII
    assert cut.any()
    assert (paths.stated_m[cut] < paths.through_points_m[cut]).all()
    assert our_turn.max() < 1e-12
    assert their_turn[~cut].max() < 1e-12
    assert their_turn[cut].min() > 1e-9


def test_another_surface_is_found(
    model: Path, motion: Coordinates, paths: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = compared.shared_model(model)
    wider = shared.muscles.opensim_paths._replace(surface_size=1.001 * shared.muscles.opensim_paths.surface_size)
    changed = replace(shared, muscles=replace(shared.muscles, opensim_paths=wider), found={})
    monkeypatch.setattr(compared, "shared_model", lambda _: changed)
    found = verdict(compared.compared_paths(model, motion))
    assert not found["paths: lengths through their points, largest"]
    assert found["paths: share that the tool cuts short"], "what OpenSim does is OpenSim's alone"


def test_muscles_that_are_cut_short_are_named(paths: object) -> None:
    (sentence,) = paths.warnings()
    assert f"{', '.join(paths.muscles_cut_short)}: {paths.cut_short.any(axis=1).sum()} of 20 frames" in sentence


def test_paths_that_are_asked_of_opensim_are_compared_with_nothing(
    model: Path, motion: Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = compared.shared_model(model)
    asking = replace(shared, muscles=replace(shared.muscles, fibres=None), found={})
    monkeypatch.setattr(compared, "shared_model", lambda _: asking)
    assert compared.compared_paths(model, motion) is None


def test_without_their_second_surface_no_path_is_cut_short_and_others_stay(
    model: Path, motion: Coordinates, paths: object, tmp_path: Path
) -> None:
    alike = compared.with_one_surface(model, paths.muscles_cut_short, tmp_path / "alike.osim")
    found = compared.compared_paths(alike, motion)
    others = [u for u, name in enumerate(paths.muscle_names) if name not in paths.muscles_cut_short]
    assert found.muscle_names == paths.muscle_names
    assert found.warnings() == ()
    assert all(verdict(found).values())
    np.testing.assert_allclose(found.stated_m[:, others], paths.stated_m[:, others], rtol=0, atol=1e-12)
