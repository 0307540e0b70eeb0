from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.records import ModelMarker
from tests.pipeline.osim.settings import effort_settings

pytestmark = pytest.mark.osim
osim_model = pytest.importorskip("pipeline.osim.models.model")


def test_a_model_is_listed(pendulum: Path) -> None:
    summary = osim_model.read_summary(pendulum)
    assert [(c.name, c.rotational, c.coupled, c.locked) for c in summary.coordinates] == [
        ("swing", True, False, False),
        ("pointer_angle", True, True, False),
    ]
    assert [c.residual for c in summary.coordinates] == [True, False]
    assert summary.muscles == ("front", "back")
    assert summary.body_mass_kg["bob"] == 2.0


@pytest.mark.data
def test_the_patella_is_an_angle_that_opensim_leaves_in_radians(shared_data: Path) -> None:
    summary = osim_model.read_summary(shared_data / "opensim_reference/rajagopal2016/Rajagopal2016.osim")
    assert (len(summary.coordinates), len(summary.muscles)) == (39, 80)
    by_name = {c.name: c for c in summary.coordinates}
    patella = by_name["knee_angle_r_beta"]
    assert (patella.rotational, patella.stored_in_degrees, patella.coupled) == (True, False, True)
    assert not by_name["pelvis_tx"].rotational
    assert {c.name for c in summary.coordinates if c.residual} == {
        "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    }  # fmt: skip
    locked = {c.name for c in summary.coordinates if c.locked}
    assert {"subtalar_angle_r", "mtp_angle_l", "wrist_flex_r"} <= locked


@pytest.mark.data
def test_reserves_go_where_nothing_drives(shared_data: Path) -> None:
    model = osim_model.load_model(shared_data / "opensim_reference/rajagopal2016/Rajagopal2016.osim")
    settings = effort_settings(reserve_optimal_nm=1.0, residual_optimal_n=20.0, residual_optimal_nm=10.0)
    added = osim_model.add_reserves(model, settings)
    assert "hip_flexion_r" in added
    assert not {"knee_angle_r_beta", "subtalar_angle_r", "arm_flex_r", "lumbar_extension"} & set(added)
    optimal = {a.get_coordinate(): a.getOptimalForce() for a in osim_model.coordinate_actuators(model)}
    assert (optimal["hip_flexion_r"], optimal["pelvis_ty"], optimal["pelvis_tilt"]) == (1.0, 20.0, 10.0)
    again = effort_settings(reserve_optimal_nm=1, residual_optimal_n=1, residual_optimal_nm=1)
    assert osim_model.add_reserves(model, again) == ()


def test_markers_are_replaced(pendulum: Path, tmp_path: Path) -> None:
    model = osim_model.load_model(pendulum)
    osim_model.replace_markers(model, [ModelMarker(name="new", body="bob", location_m=(0.1, -0.5, 0.2), fixed=True)])
    osim_model.write_model(model, tmp_path / "marked.osim")
    again = osim_model.load_model(tmp_path / "marked.osim")
    assert osim_model.summarise(again).markers == ("new",)
    quarter_turn = osim_model.marker_positions(again, np.array([np.pi / 2, np.pi / 4]), ["new"])
    np.testing.assert_allclose(quarter_turn, [[0.5, 0.1, 0.2]], atol=1e-12)


def test_a_marker_on_no_body_is_refused_by_name(pendulum: Path) -> None:
    model = osim_model.load_model(pendulum)
    with pytest.raises(TrialRejected, match="no body femur_r"):
        osim_model.replace_markers(model, [ModelMarker(name="a", body="femur_r", location_m=(0, 0, 0), fixed=False)])


@pytest.mark.parametrize("content", ["", "<xml>", "not a model", "<OpenSimDocument Version='40500'></OpenSimDocument>"])
def test_what_is_no_model_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.osim"
    path.write_text(content)
    with pytest.raises(TrialRejected, match=r"model: odd\.osim"):
        osim_model.read_summary(path)


def test_a_missing_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TrialRejected, match=r"nowhere\.osim: there is no such model file"):
        osim_model.read_summary(tmp_path / "nowhere.osim")


def test_a_body_may_walk_anywhere_but_not_bend_anyhow(tmp_path: Path) -> None:
    from pipeline.osim.models.default_model import default_model_file

    model = osim_model.load_model(default_model_file(tmp_path))
    clamped = {name: model.getCoordinateSet().get(name).getDefaultClamped() for name in ("pelvis_tx", "knee_angle_r")}
    osim_model.let_walk_anywhere(model)
    state = model.getWorkingState()

    assert clamped == {"pelvis_tx": True, "knee_angle_r": True}
    for name in ("pelvis_tx", "pelvis_ty", "pelvis_tz"):
        assert not model.getCoordinateSet().get(name).getClamped(state)
    for name in ("pelvis_tilt", "knee_angle_r", "hip_flexion_l"):
        assert model.getCoordinateSet().get(name).getClamped(state)


def test_a_model_printed_in_part_is_a_full_disk(tmp_path: Path) -> None:
    class HalfPrinted:
        def printToXML(self, path: str) -> bool:
            Path(path).write_text("<OpenSimDocument>")
            return True

    with pytest.raises(OSError, match="No space left") as caught:
        osim_model.write_model(HalfPrinted(), tmp_path / "scaled.osim")
    assert caught.value.filename == str(tmp_path / "scaled.osim")
