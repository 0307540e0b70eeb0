from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Stride
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, JointLoads, Kinematics, MuscleForces
from pipeline.solving.solution import Solution
from pipeline.solving.targets import cut_cycles, group_forces_n_kg, hip_loads_n_kg, inputs_deg, moments_nm_kg
from tests.pipeline.solutions import BOTH, COMPUTED, FEET_PRESSING, joint_loads, still_muscles
from warehouse.channels import INPUT_COORDINATES, LOAD_CHANNELS, MOMENT_COORDINATES, MUSCLE_GROUPS, mirrored

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


def hips(force_n: np.ndarray) -> JointLoads:
    """Both hips bear this force (T, 3) in the femurs' axes."""
    both = np.stack([force_n, force_n], axis=1)
    return JointLoads(time_s=TIME_S, joints=("hip_r", "hip_l"), in_distal_n=both, in_proximal_n=np.full_like(both, 7))


def test_a_left_hips_load_is_read_as_a_right_ones() -> None:
    """Mirrored in the body's middle plane, a force to the left is one to the right."""
    force = np.tile([60.0, -1200.0, 240.0], (len(TIME_S), 1))
    right = hip_loads_n_kg(hips(force), "right", 60.0)
    mirror = hip_loads_n_kg(hips(force * [1, 1, -1]), "left", 60.0)
    assert [right[name][0] for name in LOAD_CHANNELS[:3]] == [1.0, -20.0, 4.0]
    for name in LOAD_CHANNELS:
        assert mirror[name] == pytest.approx(right[name])
    assert right["load_hip"] == pytest.approx(np.sqrt(1 + 400 + 16))


def test_the_hips_load_is_the_striding_legs() -> None:
    """The right hip is unloaded, the left one bears (3, 30, 300) N."""
    right, left = (hip_loads_n_kg(joint_loads(TIME_S), side, 10.0) for side in ("right", "left"))
    assert {value for load in right.values() for value in load} == {0.0}
    assert [left[name][0] for name in LOAD_CHANNELS[:3]] == pytest.approx([0.3, 3.0, -30.0])


def test_a_hip_that_the_engine_does_not_know_has_no_load() -> None:
    no_joint = np.empty((len(TIME_S), 0, 3))
    loads = JointLoads(time_s=TIME_S, joints=(), in_distal_n=no_joint, in_proximal_n=no_joint)
    assert all(np.isnan(load).all() for load in hip_loads_n_kg(loads, "left", 60.0).values())


def test_a_model_without_an_input_is_refused_by_name():
    lacking = tuple(name for name in BOTH_LEGS if name != "ankle_angle_l")
    with pytest.raises(TrialRejected, match="no coordinate ankle_angle_l, one of the ten inputs"):
        inputs_deg(coordinates(lacking), "right")


def test_a_model_without_a_groups_muscle_is_refused_by_name():
    lacking = tuple(name for name in MUSCLES if name not in ("glmed2_l", "glmed3_l"))
    assert len(group_forces_n_kg(muscles(lacking), "right", 60.0)) == 14
    with pytest.raises(TrialRejected, match="no muscle glmed2_l, glmed3_l, of group 'glmed'"):
        group_forces_n_kg(muscles(lacking), "left", 60.0)


OWN_FOOT = {name: frozenset({"right" if name.endswith("_r") else "left"}) for name in (*HIPS, *MUSCLES)}
STRIDES = (
    Stride(side="right", start_s=0.1, stop_s=1.1, toe_off_s=0.7),
    Stride(side="left", start_s=0.2, stop_s=1.0, toe_off_s=0.7),
)


def a_walk(loads: JointLoads) -> Solution:
    """Every moment grows by 60 N·m a second."""
    frames = slice(10, 111)
    ramp = GeneralizedForces(
        time_s=TIME_S, names=HIPS, rotational=np.ones(6, dtype=bool), values=np.tile(60 * TIME_S[:, None], 6)
    )
    still = coordinates()
    return Solution(
        kinematics=Kinematics(
            coordinates=still,
            marker_names=("R_IAS",),
            marker_error_m=np.zeros((len(TIME_S), 1)),
        ),
        moments=ramp,
        muscles=muscles().cut(frames),
        laid=still_muscles(TIME_S[frames], MUSCLES),
        muscle_source=COMPUTED,
        balance=ramp.cut(frames),
        loads=loads.cut(frames),
        frames=np.arange(10, 111),
        loading_feet=OWN_FOOT,
        feet_pressing=FEET_PRESSING,
    )


def test_cycles_are_cut_from_the_solutions_frames():
    right, left = cut_cycles(STRIDES, a_walk(joint_loads(TIME_S)), both_known(), 60.0, 11)
    assert right.phase == pytest.approx(np.linspace(0, 1, 11))
    # A moment that grows by 60 N·m a second, over 60 kg, is the time itself.
    assert right.channels["moment_hip_flexion"] == pytest.approx(np.linspace(0.1, 1.1, 11))
    assert left.channels["moment_hip_flexion"] == pytest.approx(np.linspace(0.2, 1.0, 11))
    assert left.channels["force_tfl"] == pytest.approx(2.0)
    assert len(right.channels) == 10 + 14 + 3 + 4


def test_a_loads_size_is_resampled_itself():
    """The norm of resampled components would cut the corner of a force that turns round within a frame."""
    turning = np.zeros((len(TIME_S), 3))
    turning[:, 0] = np.where(np.arange(len(TIME_S)) % 2, 60.0, -60.0)
    right, _ = cut_cycles(STRIDES, a_walk(hips(turning)), both_known(), 60.0, 334)
    assert right.channels["load_hip"] == pytest.approx(1.0)
    assert np.abs(right.channels["load_hip_x"]).min() < 0.5


def test_a_load_not_known_in_one_frame_is_not_known_in_its_stride():
    force = np.full((len(TIME_S), 3), 60.0)
    force[15, 1] = np.nan
    right, left = cut_cycles(STRIDES, a_walk(hips(force)), both_known(), 60.0, 11)
    assert all(np.isnan(right.channels[name]).all() for name in LOAD_CHANNELS)
    assert np.isfinite(right.channels["force_tfl"]).all()
    assert left.channels["load_hip"] == pytest.approx(np.sqrt(3))


def test_a_load_that_rests_on_the_other_foot_needs_its_ground_reaction():
    """A muscle ties the legs of some model together: in one frame of the right stride the left foot is not known."""
    walk = a_walk(joint_loads(TIME_S))
    tied = replace(walk, feet_pressing={**FEET_PRESSING, "hip_r": BOTH})
    known = both_known()
    known["left"].known[15] = False
    for solution, expected in ((walk, True), (tied, False)):
        right, left = cut_cycles(STRIDES, solution, known, 60.0, 11)
        assert np.isfinite(right.channels["load_hip"]).all() == expected
        assert np.isfinite(left.channels["load_hip"]).all()


def both_known() -> dict[str, FootWrench]:
    return {side: _wrench(side) for side in ("right", "left")}


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
