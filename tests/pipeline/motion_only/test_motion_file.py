"""Motions and tables from other programs: units are read or refused, never guessed."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.motion_only.motion_file import read_csv_motion, read_mot
from pipeline.motion_only.walk_angles import WalkAngles
from pipeline.session.recipe import load_recipe
from tests.pipeline.motion_only.test_kinematic_events import TIME_S, pendulum_legs
from tests.pipeline.session.test_session import COMPLETE
from warehouse.channels import INPUT_COORDINATES

PUBLISHED = load_recipe("gait2hip60")


def write_mot(path: Path, values: np.ndarray, in_degrees: str, names: tuple[str, ...] = INPUT_COORDINATES) -> Path:
    head = ["walk", "version=1", f"nRows={len(values)}", f"nColumns={len(names) + 1}", in_degrees, "endheader"]
    rows = ["\t".join(f"{number:.9g}" for number in (at, *row)) for at, row in zip(TIME_S, values, strict=True)]
    path.write_text("\n".join([*head, "\t".join(["time", *names]), *rows]) + "\n")
    return path


def write_csv(path: Path, names: list[str], values: np.ndarray) -> Path:
    rows = [",".join("" if np.isnan(number) else f"{number:.9g}" for number in row) for row in values]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")
    return path


def table(values: np.ndarray) -> np.ndarray:
    return np.column_stack([TIME_S, values])


def is_the_pendulum_walk(walk: WalkAngles) -> bool:
    np.testing.assert_allclose(walk.angles_deg, pendulum_legs(), atol=1e-5)
    return sorted(stride.side for stride in walk.strides) == ["left"] * 3 + ["right"] * 3


@pytest.mark.parametrize(("in_degrees", "factor"), [("inDegrees=yes", 1.0), ("inDegrees=no", np.pi / 180)])
def test_a_motion_is_in_what_its_header_says(in_degrees: str, factor: float, tmp_path: Path) -> None:
    file = write_mot(tmp_path / "walk.mot", pendulum_legs() * factor, in_degrees)

    assert is_the_pendulum_walk(read_mot(file, PUBLISHED))


def test_a_motion_that_doesn_t_say_its_unit_or_lacks_an_angle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrialRejected, match="has no inDegrees in its header"):
        read_mot(write_mot(tmp_path / "a.mot", pendulum_legs(), "note=none"), PUBLISHED)
    fewer = write_mot(tmp_path / "b.mot", pendulum_legs()[:, :-1], "inDegrees=yes", INPUT_COORDINATES[:-1])
    with pytest.raises(ValueError, match=r"b\.mot lacks ankle_angle_l; it has hip_flexion_r"):
        read_mot(fewer, PUBLISHED)


def test_a_motion_and_a_table_tell_how_far_each_stride_turns(tmp_path: Path) -> None:
    """A pelvis that turns evenly turns by its rate times the duration, past 180° too."""
    heading = (170 + 30 * TIME_S + 180) % 360 - 180
    turning = np.column_stack([pendulum_legs(), heading])
    mot = write_mot(tmp_path / "a.mot", turning, "inDegrees=yes", (*INPUT_COORDINATES, "pelvis_rotation"))
    heading[3] = np.nan
    names = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES), "pelvis_rotation_deg"]
    csv = write_csv(tmp_path / "a.csv", names, table(np.column_stack([pendulum_legs(), heading])))

    for walk in (read_mot(mot, PUBLISHED), read_csv_motion(csv, PUBLISHED)):
        for stride in walk.strides:
            assert stride.heading_change_deg == pytest.approx(30 * stride.duration_s, abs=1e-3)
    straight = read_mot(write_mot(tmp_path / "b.mot", pendulum_legs(), "inDegrees=yes"), PUBLISHED)
    assert np.isnan([stride.heading_change_deg for stride in straight.strides]).all()


@pytest.mark.parametrize(("unit", "factor"), [("deg", 1.0), ("rad", np.pi / 180)])
def test_a_table_is_in_what_its_columns_say(unit: str, factor: float, tmp_path: Path) -> None:
    names = ["time_s", *(f"{name}_{unit}" for name in INPUT_COORDINATES)]

    assert is_the_pendulum_walk(
        read_csv_motion(write_csv(tmp_path / "walk.csv", names, table(pendulum_legs() * factor)), PUBLISHED)
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        (
            {"knee_angle_r_deg": "knee_angle_r"},
            r"knee_angle_r doesn't say one unit: name the column knee_angle_r_deg or",
        ),
        ({"knee_angle_r_deg": "hip_flexion_r_rad"}, r"hip_flexion_r_deg, hip_flexion_r_rad doesn't say one unit"),
        ({"knee_angle_r_deg": "knee"}, r"lacks knee_angle_r_deg; it has time_s, hip_flexion_r_deg"),
        ({"time_s": "time"}, r"lacks time_s"),
    ],
)
def test_a_table_without_units_angles_or_time_is_refused(
    changed: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    names = [changed.get(name, name) for name in ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]]

    with pytest.raises(ValueError, match=complaint):
        read_csv_motion(write_csv(tmp_path / "walk.csv", names, table(pendulum_legs())), PUBLISHED)


def test_degrees_that_are_radians_are_no_walk(tmp_path: Path) -> None:
    names = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]

    with pytest.raises(ValueError, match="these are radians, or nobody walks"):
        read_csv_motion(write_csv(tmp_path / "w.csv", names, table(np.radians(pendulum_legs()))), PUBLISHED)


def test_an_empty_cell_costs_its_own_cycles_only(tmp_path: Path) -> None:
    names = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]
    angles = pendulum_legs()
    angles[150, INPUT_COORDINATES.index("hip_rotation_r")] = np.nan

    walk = read_csv_motion(write_csv(tmp_path / "w.csv", names, table(angles)), PUBLISHED)

    assert len(walk.strides) == 4
    assert sum("NaN in hip_rotation_r" in why for why in walk.refused) == 2


def test_words_time_that_stands_still_and_a_short_walk_are_refused(tmp_path: Path) -> None:
    names = ["time_s", *(f"{name}_deg" for name in INPUT_COORDINATES)]
    still = table(pendulum_legs())
    still[3, 0] = still[2, 0]
    with pytest.raises(ValueError, match="time_s must be known and increase"):
        read_csv_motion(write_csv(tmp_path / "still.csv", names, still), PUBLISHED)
    words = write_csv(tmp_path / "words.csv", names, table(pendulum_legs()))
    words.write_text(words.read_text().replace("\n0,25,", "\n0,bent,"))
    with pytest.raises(ValueError, match=r"column hip_flexion_r_deg holds string, expected numbers"):
        read_csv_motion(words, PUBLISHED)
    with pytest.raises(TrialRejected, match=r"no complete gait cycle.*give a longer walk"):
        read_csv_motion(write_csv(tmp_path / "short.csv", names, table(pendulum_legs())[:100]), PUBLISHED)


@pytest.mark.osim
def test_a_sessions_joint_coordinates_are_predicted_from_as_they_are(tmp_path: Path) -> None:
    recorded_angles = pytest.importorskip("pipeline.motion_only.recorded_angles").recorded_angles
    file = write_mot(tmp_path / "walk.mot", pendulum_legs(), "inDegrees=yes")
    (tmp_path / "own.osim").write_text("<model/>")
    trials = 'scaled_model = "own.osim"\n[trials]\n"walk.mot" = "slow"\n'
    head = COMPLETE[: COMPLETE.index("[trials]")].replace('static = "static.c3d"\n', "")
    (tmp_path / "session.toml").write_text(head + trials)

    assert is_the_pendulum_walk(recorded_angles(str(tmp_path / "session.toml"), str(file), "gait2hip60", "<model/>"))
