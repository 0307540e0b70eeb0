from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.osim.engines import load_engine
from pipeline.records import Markers, Measurement, ModelMarker, ScaledModel

pytestmark = pytest.mark.osim
scale = pytest.importorskip("pipeline.osim.tools.scale")

TALLER = 1.2
ANGLE_RAD = 0.3
LENGTHS = (Measurement(name="bob", pairs=(("tip", "side"), ("front", "back")), scales=(("bob", "XYZ"),)),)


def standing(markers: dict[str, tuple[float, float, float]], n_frames: int = 1) -> Markers:
    """A subject 1.2 times the model's size, swung by 0.3 rad."""
    cos, sin = np.cos(ANGLE_RAD), np.sin(ANGLE_RAD)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    positions = TALLER * np.array(list(markers.values())) @ turn.T
    return Markers(
        time_s=np.arange(n_frames) / 100,
        rate_hz=100.0,
        labels=tuple(markers),
        positions_m=np.repeat(positions[None], n_frames, axis=0),
    )


def scaled(kit: SimpleNamespace, model: Path, static: Markers, directory: Path, **changes: object) -> ScaledModel:
    settings = {
        "markers": [ModelMarker(name=n, body="bob", location_m=at, fixed=False) for n, at in kit.markers.items()],
        "measurements": LENGTHS,
        "marker_weights": dict.fromkeys(kit.markers, 1.0),
        "coordinate_tasks": (),
        "mass_kg": 80.0,
        "preserve_mass_distribution": True,
        "engine": load_engine("exact"),
        "accuracy": 1e-9,
    } | changes
    return scale.scale_model(model, static=static, directory=directory, **settings)


def test_a_bigger_subject_is_found_bigger(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    found = scaled(pendulum_kit, pendulum, standing(pendulum_kit.markers), tmp_path)
    np.testing.assert_allclose(found.scale_factors["bob"], TALLER, rtol=1e-12)
    assert found.scale_factors["pointer"] == (1.0, 1.0, 1.0), "no measurement names it"
    assert sum(found.body_mass_kg.values()) == pytest.approx(80.0)
    assert max(found.marker_error_m.values()) < 1e-6
    assert found.dropped_markers == ()


def test_markers_move_onto_the_measured_ones_unless_fixed(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    from pipeline.osim.models.model import load_model, marker_positions

    static = standing(pendulum_kit.markers)
    shift = np.array([0.0, 0.0, 0.02])  # out of plane: no pose can follow it
    static.positions_m[0, :2] += shift
    markers = [
        ModelMarker(name=name, body="bob", location_m=at, fixed=name == "tip")
        for name, at in pendulum_kit.markers.items()
    ]
    only = (Measurement(name="bob", pairs=(("back", "side"),), scales=(("bob", "XYZ"),)),)
    found = scaled(pendulum_kit, pendulum, static, tmp_path, markers=markers, measurements=only)
    assert found.marker_error_m["tip"] == pytest.approx(0.02, abs=1e-6)
    (tmp_path / "again.osim").write_text(found.osim_xml)
    model = load_model(tmp_path / "again.osim")
    placed = marker_positions(model, np.array([ANGLE_RAD, ANGLE_RAD / 2]), list(pendulum_kit.markers))
    np.testing.assert_allclose(placed[1:], static.positions_m[0, 1:], atol=1e-6)
    np.testing.assert_allclose(placed[0], static.positions_m[0, 0] - shift, atol=1e-6)


def test_frames_are_averaged_without_the_missing_ones(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    static = standing(pendulum_kit.markers, n_frames=5)
    static.positions_m[1] += 0.01
    static.positions_m[3] -= 0.01
    static.positions_m[4, 0] = np.nan
    found = scaled(pendulum_kit, pendulum, static, tmp_path)
    np.testing.assert_allclose(found.scale_factors["bob"], TALLER, rtol=1e-9)


def test_the_same_input_gives_the_same_bytes_anywhere(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    static = standing(pendulum_kit.markers)
    first = scaled(pendulum_kit, pendulum, static, tmp_path / "one")
    second = scaled(pendulum_kit, pendulum, static, tmp_path / "another" / "place")
    assert first == second
    assert str(tmp_path) not in first.osim_xml


def test_a_missing_scaling_marker_is_named(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    static = standing({name: at for name, at in pendulum_kit.markers.items() if name != "side"})
    with pytest.raises(TrialRejected, match=r"scaling: the static trial lacks side, .* to size bob"):
        scaled(pendulum_kit, pendulum, static, tmp_path)


def test_another_missing_marker_is_dropped_and_named(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    only = (Measurement(name="bob", pairs=(("tip", "front"),), scales=(("bob", "XYZ"),)),)
    static = standing({name: at for name, at in pendulum_kit.markers.items() if name != "side"})
    found = scaled(pendulum_kit, pendulum, static, tmp_path, measurements=only)
    assert found.dropped_markers == ("side",)
    assert set(found.marker_error_m) == {"tip", "front", "back"}
    assert 'Marker name="side"' not in found.osim_xml


def test_a_profile_for_another_model_is_refused(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    thigh = Measurement(name="thigh", pairs=(("tip", "side"),), scales=(("femur_r", "Y"),))
    with pytest.raises(TrialRejected, match="no body femur_r"):
        scaled(pendulum_kit, pendulum, standing(pendulum_kit.markers), tmp_path, measurements=(thigh,))


def test_an_empty_static_trial_is_refused(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    static = standing(pendulum_kit.markers)
    static.positions_m[:] = np.nan
    with pytest.raises(TrialRejected, match="shows no markers"):
        scaled(pendulum_kit, pendulum, static, tmp_path)


def test_too_few_markers_to_pose_the_model(pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(TrialRejected, match=r"scaling: posing the scaled model.*only 2 markers"):
        scaled(
            pendulum_kit,
            pendulum,
            standing(pendulum_kit.markers),
            tmp_path,
            marker_weights={"tip": 1.0, "side": 1.0},
        )
