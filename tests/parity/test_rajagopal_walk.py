"""OpenSim's walking_3d (Rajagopal model, 80 muscles): all solves, timed, and checked for balance."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.osim.files import read_storage
from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    Markers,
    MuscleForces,
)
from pipeline.signals import low_pass
from tests.parity.walking_3d import FEET, smooth_markers, wrench
from tests.pipeline.osim.settings import effort_settings, ik_settings

pytestmark = [pytest.mark.osim, pytest.mark.data]
osim = pytest.importorskip("opensim")
tools = pytest.importorskip("pipeline.osim.tools.engine")
laid = pytest.importorskip("tests.pipeline.osim.laid")
osim_model = pytest.importorskip("pipeline.osim.models.model")

RecordLargest = Callable[[str, float, str, str], None]

STATIC_OPTIMIZATION_FRAMES = slice(50, 75)  # double support and single support of the left leg
LEG = ("hip_flexion_r", "hip_adduction_r", "hip_rotation_r", "knee_angle_r", "ankle_angle_r")


@dataclass(frozen=True)
class Walk:
    model: Path
    markers: Markers
    weights: dict[str, float]
    kinematics: KinematicsResult
    filtered: Coordinates
    wrenches: tuple[FootWrench, FootWrench]
    moments: GeneralizedForces
    directory: Path


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "opensim_reference" / "walking_3d"


@pytest.fixture(scope="module")
def walk(
    folder: Path,
    read_trc: Callable[[Path, float, float], Markers],
    read_tasks: Callable[[Path], tuple[dict[str, float], list[CoordinateTask]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Walk:
    directory = tmp_path_factory.mktemp("walk")
    model = folder / "subject_walk_scaled.osim"
    weights, _ = read_tasks(folder / "ik_tasks_walk.xml")
    markers = smooth_markers(read_trc(folder / "markers_walk.trc", 0.0, 10.0))
    began = time.perf_counter()
    kinematics = tools.inverse_kinematics(
        model, markers, marker_weights=weights, settings=ik_settings(1e-6), directory=directory / "ik"
    )
    print_cost("IK at 1e-6", began, len(markers.time_s))
    raw = kinematics.coordinates
    filtered = replace(raw, values=low_pass(raw.values, markers.rate_hz, 15.0))
    wrenches = (wrench(folder, "right"), wrench(folder, "left"))
    began = time.perf_counter()
    moments = tools.inverse_dynamics(
        model, filtered, wrenches, foot_bodies=FEET, mechanics="opensim", directory=directory / "id"
    )
    print_cost("ID", began, len(markers.time_s))
    return Walk(
        model=model,
        markers=markers,
        weights=weights,
        kinematics=kinematics,
        filtered=filtered,
        wrenches=wrenches,
        moments=moments,
        directory=directory,
    )


def print_cost(what: str, began: float, n_frames: int) -> None:
    print(f"\nwalking_3d {what}: {1e3 * (time.perf_counter() - began) / n_frames:.1f} ms per frame, loading included")


def test_markers_are_followed(walk: Walk, record_largest: RecordLargest) -> None:
    error_mm = 1e3 * walk.kinematics.marker_error_m
    rms = np.sqrt((error_mm**2).mean(axis=1))
    record_largest("walking_3d: marker error, root mean square of the worst frame", rms.max(), "{:.1f} mm", "20 mm")
    record_largest("walking_3d: marker error, worst marker", error_mm.max(), "{:.1f} mm", "45 mm")
    assert rms.max() < 20
    assert error_mm.max() < 45  # this model was scaled by others; its worst marker stays 43 mm away
    beta = walk.kinematics.coordinates.column("knee_angle_r_beta")
    np.testing.assert_allclose(beta, walk.kinematics.coordinates.column("knee_angle_r"), atol=1e-6)


def test_hip_moments_look_like_walking(walk: Walk) -> None:
    """Signs and sizes only: flexion and extension moments alternate, and abductors hold the pelvis in stance."""
    mass_kg = sum(osim_model.read_summary(walk.model).body_mass_kg.values())
    middle = slice(15, -15)
    flexion = walk.moments.column("hip_flexion_r")[middle] / mass_kg
    adduction = walk.moments.column("hip_adduction_r")[middle] / mass_kg
    print(
        f"\nwalking_3d hip: flexion {flexion.min():.2f} to {flexion.max():.2f}, adduction {adduction.min():.2f} N·m/kg"
    )
    assert -1.5 < flexion.min() < -0.4 < 0.4 < flexion.max() < 1.5
    assert -1.2 < adduction.min() < -0.5


def test_jitter_of_the_solver(walk: Walk) -> None:
    """Beside a solution converged to 1e-9: good to 0.3 degrees, and its noise is far below the motion."""
    part = slice(40, 65)
    markers = replace(walk.markers, time_s=walk.markers.time_s[part], positions_m=walk.markers.positions_m[part])
    converged = tools.inverse_kinematics(
        walk.model, markers, marker_weights=walk.weights, settings=ik_settings(1e-9), directory=walk.directory / "ik9"
    )
    for name in LEG:
        fine = np.degrees(converged.coordinates.column(name))
        error = np.degrees(walk.kinematics.coordinates.column(name)[part]) - fine
        noise, motion = (1e4 * np.sqrt((np.diff(x, 2) ** 2).mean()) for x in (error, fine))
        print(f"\n{name}: error RMS {np.sqrt((error**2).mean()):.3f} deg, jitter {noise:.0f} of {motion:.0f} deg/s²")
        assert np.abs(error).max() <= 0.3
        assert noise <= 0.25 * motion


@pytest.fixture(scope="module")
def muscles(walk: Walk) -> MuscleForces:
    part = STATIC_OPTIMIZATION_FRAMES
    coordinates = replace(walk.filtered, time_s=walk.filtered.time_s[part], values=walk.filtered.values[part])
    began = time.perf_counter()
    found = tools.static_optimization(
        walk.model,
        coordinates,
        walk.wrenches,
        foot_bodies=FEET,
        mechanics="opensim",
        settings=effort_settings(
            activation_exponent=2,
            use_muscle_physiology=True,
            reserve_optimal_nm=1.0,
            residual_optimal_n=10.0,
            residual_optimal_nm=10.0,
            convergence_criterion=1e-4,
            max_iterations=100,
        ),
        directory=walk.directory / "so",
    )
    print_cost("SO", began, len(coordinates.time_s))
    return found


def test_static_optimization_needs_no_reserves(
    walk: Walk, muscles: MuscleForces, record_largest: RecordLargest
) -> None:
    assert muscles.converged.all()
    reserve = {name: np.abs(muscles.actuator_force[:, muscles.actuator_coordinates.index(name)]).max() for name in LEG}
    print("\nwalking_3d SO reserves:", ", ".join(f"{name} {value:.3f} N·m" for name, value in reserve.items()))
    record_largest("walking_3d: SO, largest reserve", max(reserve.values()), "{:.3f} N·m", "1 N·m")
    assert max(reserve.values()) <= 1.0
    assert muscles.force_n.min() >= 0
    assert muscles.activation.min() > 0
    assert muscles.activation.max() <= 1.0 + 1e-6


def test_muscles_balance_inverse_dynamics(walk: Walk, muscles: MuscleForces, record_largest: RecordLargest) -> None:
    part = STATIC_OPTIMIZATION_FRAMES
    coordinates = replace(walk.filtered, time_s=walk.filtered.time_s[part], values=walk.filtered.values[part])
    moments = tools.inverse_dynamics(
        walk.model,
        coordinates,
        walk.wrenches,
        foot_bodies=FEET,
        mechanics="opensim",
        directory=walk.directory / "id_part",
    )
    began = time.perf_counter()
    surplus = laid.balance_by(walk.model, coordinates, moments, muscles, "opensim")
    print_cost("balance", began, len(coordinates.time_s))
    leg = max(np.abs(surplus.column(name)).max() for name in LEG)
    record_largest("walking_3d: SO, muscles less ID, leg", leg, "{:.1e} N·m", "0.01 N·m")
    assert "knee_angle_r_beta" not in surplus.names
    assert leg <= 0.01
    assert np.abs(surplus.values).max() <= 0.1

    doubled = replace(muscles, force_n=2 * muscles.force_n)
    assert np.abs(laid.balance_by(walk.model, coordinates, moments, doubled, "opensim").values).max() > 10


@pytest.fixture(scope="module")
def published_motion(folder: Path, walk: Walk) -> Coordinates:
    """Their coordinates, without toes (there held at zero) and with the patella's angle repaired.

    The file says radians and holds the patella's coupled coordinate in degrees, as OpenSim 4.5 left it.
    """
    columns, time_s, values, in_degrees = read_storage(folder / "coordinates.sto")
    assert not in_degrees
    place = {column.split("/")[-2]: i for i, column in enumerate(columns)}
    names = walk.filtered.names
    found = np.zeros((len(time_s), len(names)))
    for i, name in enumerate(names):
        source = name.removesuffix("_beta")
        if source in place:
            found[:, i] = values[:, place[source]]
    beta = values[:, place["knee_angle_r_beta"]]
    np.testing.assert_allclose(np.radians(beta), values[:, place["knee_angle_r"]], atol=1e-3)
    return Coordinates(time_s=time_s, names=names, rotational=walk.filtered.rotational, values=found)


def test_inverse_dynamics_against_the_published_result(
    folder: Path, walk: Walk, published_motion: Coordinates, tmp_path: Path, record_largest: RecordLargest
) -> None:
    found = tools.inverse_dynamics(
        walk.model,
        published_motion,
        walk.wrenches,
        foot_bodies=FEET,
        mechanics="opensim",
        lowpass_hz=6.0,
        directory=tmp_path,
    )
    names, _, expected, _ = read_storage(folder / "id_walk.sto")
    bare = [name.removesuffix("_moment").removesuffix("_force") for name in names]
    difference = np.abs(found.values[:, [found.names.index(name) for name in bare]] - expected)
    free_of_ground = [bare.index(name) for name in ("lumbar_extension", "arm_flex_r", "elbow_flex_l")]
    record_largest("walking_3d: ID, median", np.median(difference), "{:.3f} N·m or N", "0.1")
    record_largest("walking_3d: ID, largest", difference.max(), "{:.2f} N·m or N", "1")
    assert difference[:, free_of_ground].max() <= 1e-4
    assert np.median(difference) <= 0.1
    assert difference.max() <= 1.0


def test_a_wrench_about_a_fixed_point_is_the_published_loads(
    folder: Path, walk: Walk, published_motion: Coordinates, tmp_path: Path
) -> None:
    """The same tool with their own external loads, centre of pressure and all: no difference is left."""
    mine = tools.inverse_dynamics(
        walk.model,
        published_motion,
        walk.wrenches,
        foot_bodies=FEET,
        mechanics="opensim",
        lowpass_hz=6.0,
        directory=tmp_path,
    )
    for name in ("grf_walk.mot", "grf_walk.xml"):
        shutil.copy(folder / name, tmp_path / name)
    setup = (tmp_path / "id_setup.xml").read_text()
    (tmp_path / "theirs.xml").write_text(setup.replace("loads.xml", "grf_walk.xml").replace("id.sto", "theirs.sto"))
    with tools.tool_log(tmp_path, "test") as log:
        tools.run_tool(osim.InverseDynamicsTool, tmp_path / "theirs.xml", log, "test")
    names, _, theirs, _ = read_storage(tmp_path / "theirs.sto")
    bare = [name.removesuffix("_moment").removesuffix("_force") for name in names]
    np.testing.assert_allclose(mine.values, theirs[:, [bare.index(name) for name in mine.names]], atol=1e-6)
