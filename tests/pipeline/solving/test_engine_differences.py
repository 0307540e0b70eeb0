from dataclasses import replace

import numpy as np
import pytest

from pipeline.records import Coordinates, GeneralizedForces, MuscleForces
from pipeline.solving import engine_differences as differences

T = 4


def coordinates(degrees: float = 0.0, names: tuple[str, ...] = ("hip_flexion_r", "elbow_flex_r")) -> Coordinates:
    return Coordinates(
        time_s=np.arange(T) / 100,
        names=names,
        rotational=np.ones(len(names), dtype=bool),
        values=np.full((T, len(names)), np.radians(degrees)),
    )


def muscles(force_n: float = 100.0, unsolved: tuple[int, ...] = ()) -> MuscleForces:
    converged = np.ones(T, dtype=bool)
    converged[list(unsolved)] = False
    return MuscleForces(
        time_s=np.arange(T) / 100,
        muscle_names=("soleus_r",),
        activation=np.full((T, 1), 0.1),
        force_n=np.full((T, 1), force_n),
        actuator_coordinates=("hip_flexion_r",),
        actuator_force=np.zeros((T, 1)),
        converged=converged,
        short_of=np.where(converged, "", "hip_flexion_r"),
    )


def figures(found: tuple[differences.Difference, ...]) -> dict[str, differences.Difference]:
    return {one.what: one for one in found}


def test_one_bad_frame_is_not_hidden_by_the_good_ones() -> None:
    theirs, ours = np.array([1e3, 1.0, 1e3, 1e3]), np.array([1e3, 1.2, 1e3, 1e3])
    found = figures(differences.of_kinematics(coordinates(), coordinates(), ours, theirs))
    assert found["IK: squared errors, exact over tools, all frames"].agrees
    worst = found["IK: squared errors, exact over tools, worst frame"]
    assert worst.value == pytest.approx(1.2)
    assert not worst.agrees
    found = figures(differences.of_muscles(muscles(), muscles(), ours, theirs))
    assert found["SO: effort, exact over tools, all frames"].agrees
    assert not found["SO: effort, exact over tools, worst frame"].agrees


def test_markers_met_by_both_are_no_difference() -> None:
    found = figures(differences.of_kinematics(coordinates(), coordinates(), np.zeros(T), np.full(T, 1e-20)))
    assert all(one.agrees for one in found.values())


def test_only_legs_are_judged() -> None:
    ours, theirs = coordinates(), coordinates()
    theirs.values[2, 1] += 1.0
    even = np.ones(T)
    assert all(one.agrees for one in differences.of_kinematics(ours, theirs, even, even))
    theirs.values[2, 0] += np.radians(1.5)
    found = figures(differences.of_kinematics(ours, theirs, even, even))
    assert found["IK: legs' angles, largest"].value == pytest.approx(1.5)
    assert not found["IK: legs' angles, largest"].agrees


def test_a_model_without_such_legs_can_not_be_compared() -> None:
    arms = coordinates(names=("elbow_flex_r", "elbow_flex_l"))
    found = figures(differences.of_kinematics(arms, arms, np.ones(T), np.ones(T)))
    assert found["IK: legs' angles, median"].empty
    assert not found["IK: legs' angles, median"].agrees


def test_paths_are_compared_through_their_points_and_arms_where_none_is_cut_short() -> None:
    lengths, arms, cut = np.full((T, 20), 0.4), np.zeros((T, 20)), np.zeros((T, 20), dtype=bool)
    arms[1, 3], cut[1, 3] = 0.5, True
    found = figures(differences.of_paths(lengths, lengths + 2e-7, arms, cut))
    assert found["paths: lengths through their points, largest"].value == pytest.approx(2e-4)
    assert found["paths: moment arms, largest"].value == 0
    assert found["paths: share that the tool cuts short"].value == pytest.approx(1 / (20 * T))
    assert all(one.agrees for one in found.values())
    arms[2, 3] = 2e-4
    found = figures(differences.of_paths(lengths, lengths, arms, cut))
    assert not found["paths: moment arms, largest"].agrees


def test_where_the_tool_cuts_many_paths_short_little_is_compared_and_nothing_proved() -> None:
    lengths, cut = np.full((T, 20), 0.4), np.zeros((T, 20), dtype=bool)
    cut[:, :2] = True
    found = figures(differences.of_paths(lengths, lengths, np.zeros((T, 20)), cut))
    assert not found["paths: share that the tool cuts short"].agrees


def test_unsolved_frames_are_counted_and_compared_with_nothing() -> None:
    ours, theirs = muscles(unsolved=(0,)), muscles(force_n=101.0, unsolved=(0, 3))
    ours.force_n[0], theirs.force_n[3] = 1e6, -1e6
    effort = np.array([1e9, 1.0, 1.0, 1e-9])
    found = figures(differences.of_muscles(ours, theirs, effort, np.ones(T)))
    assert found["SO: frames that both solved"].value == 2
    assert found["SO: frames that exact could not solve"].value == 1
    assert found["SO: frames that the tool could not solve"].value == 2
    assert found["SO: frames that only the tool solved"].value == 0
    assert found["SO: muscle forces, largest"].value == pytest.approx(1.0)
    assert all(one.agrees for one in found.values())


def test_a_frame_that_only_the_tool_solved_is_a_disagreement() -> None:
    """Even where the tool fails in as many others."""
    found = figures(differences.of_muscles(muscles(unsolved=(1,)), muscles(unsolved=(2,)), np.ones(T), np.ones(T)))
    assert not found["SO: frames that only the tool solved"].agrees


def test_no_common_frame_is_no_agreement() -> None:
    none = muscles(unsolved=(0, 1, 2, 3))
    found = differences.of_muscles(muscles(), none, np.ones(T), np.ones(T))
    assert {one.what for one in found if one.empty} == {
        "SO: effort, exact over tools, all frames",
        "SO: effort, exact over tools, worst frame",
        "SO: muscle forces, root mean square",
    }
    assert not any(one.agrees for one in found if one.empty)


def test_balance_is_judged_where_there_is_a_solution() -> None:
    balance = GeneralizedForces(
        time_s=np.arange(T) / 100,
        names=("hip_flexion_r",),
        rotational=np.array([True]),
        values=np.array([[50.0], [1e-9], [-1e-8], [0.0]]),
    )
    solved = np.array([False, True, True, True])
    assert differences.of_balance(balance, solved).value == pytest.approx(1e-8)
    assert not differences.of_balance(balance, ~solved).agrees
    assert differences.of_balance(balance, np.zeros(T, dtype=bool)).empty


def test_moments_are_compared_by_their_worst() -> None:
    ours = GeneralizedForces(
        time_s=np.arange(T) / 100, names=("a",), rotational=np.array([True]), values=np.zeros((T, 1))
    )
    theirs = replace(ours, values=np.array([[0.0], [0.0], [-2e-3], [0.0]]))
    (found,) = differences.of_moments(ours, theirs)
    assert found.value == pytest.approx(2e-3)
    assert not found.agrees


def test_what_corrections_move_is_told_not_judged() -> None:
    moments = GeneralizedForces(
        time_s=np.arange(T) / 100,
        names=("hip_flexion_r", "pelvis_tx"),
        rotational=np.array([True, False]),
        values=np.zeros((T, 2)),
    )
    right = replace(moments, values=np.array([[0.0, 0.0], [-2.0, 9.0], [1.0, 0.0], [0.0, 0.0]]))
    ours, theirs = muscles(force_n=104.0, unsolved=(0,)), muscles(unsolved=(3,))
    ours.force_n[0], theirs.force_n[3] = 1e6, -1e6
    found = figures(differences.of_corrections(right, moments, ours, theirs))
    assert {what: one.value for what, one in found.items()} == {
        "corrections move moments, largest": pytest.approx(2.0),
        "corrections move residual forces, largest": pytest.approx(9.0),
        "corrections move muscle forces, root mean square": pytest.approx(4.0),
        "corrections move muscle forces, largest": pytest.approx(4.0),
    }
    assert all(one.agrees and one.limit is None for one in found.values())
