import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Stride
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, Kinematics, MuscleForces
from pipeline.solving.solution import Solution
from pipeline.solving.targets import cut_cycles, group_forces_n_kg, inputs_deg, moments_nm_kg
from warehouse.channels import INPUT_COORDINATES, MOMENT_COORDINATES, MUSCLE_GROUPS, mirrored

TIME_S = np.arange(121) / 100
BOTH_LEGS = tuple(INPUT_COORDINATES)
UNITS = tuple(unit for units in MUSCLE_GROUPS.values() for unit in units)
MUSCLES = (*UNITS, *(mirrored(unit) for unit in UNITS))
HIPS = (*MOMENT_COORDINATES, *(mirrored(name) for name in MOMENT_COORDINATES))


def constants(count: int) -> np.ndarray:
    """Column i holds i + 1 in every frame."""
    return np.tile(np.arange(1.0, count + 1), (len(TIME_S), 1))


def coordinates(names: tuple[str, ...] = BOTH_LEGS) -> Coordinates:
    """Coordinate i stands still at i + 1 degrees."""
    return Coordinates(
        time_s=TIME_S,
        names=names,
        rotational=np.ones(len(names), dtype=bool),
        values=np.radians(constants(len(names))),
    )


def muscles(names: tuple[str, ...] = MUSCLES) -> MuscleForces:
    """Every right muscle pulls with 60 N, every left one with 120 N."""
    pull = np.array([60.0 if name.endswith("_r") else 120.0 for name in names])
    return MuscleForces(
        time_s=TIME_S,
        muscle_names=names,
        activation=np.zeros((len(TIME_S), len(names))),
        force_n=np.tile(pull, (len(TIME_S), 1)),
        actuator_coordinates=(),
        actuator_force=np.zeros((len(TIME_S), 0)),
        converged=np.ones(len(TIME_S), dtype=bool),
        short_of=np.full(len(TIME_S), ""),
    )


def moments() -> GeneralizedForces:
    values = 60.0 * constants(len(HIPS))
    return GeneralizedForces(time_s=TIME_S, names=HIPS, rotational=np.ones(len(HIPS), dtype=bool), values=values)


def test_inputs_are_degrees_named_from_the_leg_that_strides():
    right, left = inputs_deg(coordinates(), "right"), inputs_deg(coordinates(), "left")
    assert len(right) == len(left) == 10
    hip_r, hip_l = BOTH_LEGS.index("hip_flexion_r") + 1, BOTH_LEGS.index("hip_flexion_l") + 1
    assert right["hip_flexion_ipsi"] == pytest.approx(hip_r)
    assert right["hip_flexion_contra"] == pytest.approx(hip_l)
    assert left["hip_flexion_ipsi"] == pytest.approx(hip_l)
    assert left["hip_flexion_contra"] == pytest.approx(hip_r)


def test_a_groups_force_is_its_units_sum_over_the_bodys_mass():
    right, left = group_forces_n_kg(muscles(), "right", 60.0), group_forces_n_kg(muscles(), "left", 60.0)
    assert {name.removeprefix("force_") for name in right} == set(MUSCLE_GROUPS)
    for group, units in MUSCLE_GROUPS.items():
        assert right[f"force_{group}"] == pytest.approx(len(units))
        assert left[f"force_{group}"] == pytest.approx(2 * len(units))
    assert sum(len(units) for units in MUSCLE_GROUPS.values()) == 25


def test_moments_are_the_striding_hips():
    right, left = moments_nm_kg(moments(), "right", 60.0), moments_nm_kg(moments(), "left", 60.0)
    assert [right[f"moment_hip_{axis}"][0] for axis in ("flexion", "adduction", "rotation")] == [1.0, 2.0, 3.0]
    assert [left[f"moment_hip_{axis}"][0] for axis in ("flexion", "adduction", "rotation")] == [4.0, 5.0, 6.0]


def test_a_model_without_an_input_is_refused_by_name():
    lacking = tuple(name for name in BOTH_LEGS if name != "ankle_angle_l")
    with pytest.raises(TrialRejected, match="no coordinate ankle_angle_l, one of the ten inputs"):
        inputs_deg(coordinates(lacking), "right")


def test_a_model_without_a_groups_muscle_is_refused_by_name():
    lacking = tuple(name for name in MUSCLES if name not in ("glmed2_l", "glmed3_l"))
    assert len(group_forces_n_kg(muscles(lacking), "right", 60.0)) == 14
    with pytest.raises(TrialRejected, match="no muscle glmed2_l, glmed3_l, of group 'glmed'"):
        group_forces_n_kg(muscles(lacking), "left", 60.0)


def test_cycles_are_cut_from_the_solutions_frames():
    frames = slice(10, 111)
    ramp = GeneralizedForces(
        time_s=TIME_S, names=HIPS, rotational=np.ones(6, dtype=bool), values=np.tile(60 * TIME_S[:, None], 6)
    )
    still = coordinates()
    solution = Solution(
        kinematics=Kinematics(
            coordinates=still,
            marker_rms_m=np.zeros(len(TIME_S)),
            marker_max_m=np.zeros(len(TIME_S)),
            worst_marker=np.full(len(TIME_S), "R_IAS"),
        ),
        moments=ramp,
        muscles=muscles().cut(frames),
        balance=ramp.cut(frames),
        frames=frames,
        loading_feet={},
    )
    known = {side: _wrench(side) for side in ("right", "left")}
    strides = (
        Stride(side="right", start_s=0.1, stop_s=1.1, toe_off_s=0.7),
        Stride(side="left", start_s=0.2, stop_s=1.0, toe_off_s=0.7),
    )
    right, left = cut_cycles(strides, solution, known, 60.0, 11)
    assert right.phase == pytest.approx(np.linspace(0, 1, 11))
    # A moment that grows by 60 N·m a second, over 60 kg, is the time itself.
    assert right.channels["moment_hip_flexion"] == pytest.approx(np.linspace(0.1, 1.1, 11))
    assert left.channels["moment_hip_flexion"] == pytest.approx(np.linspace(0.2, 1.0, 11))
    assert left.channels["force_tfl"] == pytest.approx(2.0)
    assert len(right.channels) == 10 + 14 + 3


def _wrench(side: str) -> FootWrench:
    count = len(TIME_S)
    return FootWrench(
        side=side,
        time_s=TIME_S,
        point_m=np.zeros(3),
        force_n=np.zeros((count, 3)),
        moment_nm=np.zeros((count, 3)),
        cop_m=np.zeros((count, 3)),
        free_moment_nm=np.zeros(count),
        known=np.ones(count, dtype=bool),
        reason=np.full(count, "", dtype=object),
    )
