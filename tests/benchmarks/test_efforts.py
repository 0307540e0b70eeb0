"""Static optimization once more: as it was, it must be the product's; changed, it must change as mechanics says."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.efforts import Change, WalkEffort, beyond, lowering
from benchmarks.hip_contact import peaks_of
from benchmarks.people import everybody, ingest
from benchmarks.solved_walks import sized_people, solved_walks
from pipeline.session.recipe import PACKAGED_RECIPE

SUBJECT = "2014007"


@pytest.fixture(scope="module")
def ready(tmp_path_factory, shared_data: Path):
    folder = tmp_path_factory.mktemp("people")
    (person,) = (one for one in everybody(shared_data) if one.facts.id == SUBJECT)
    ingest(person, folder, PACKAGED_RECIPE)
    for sized in sized_people(folder):
        yield WalkEffort.of(next(iter(solved_walks(sized))))


@pytest.fixture(scope="module")
def as_is(ready):
    return ready.solve()


@pytest.mark.data
@pytest.mark.osim
def test_without_a_change_it_is_the_products(ready, as_is):
    solution = ready.walk.solution
    np.testing.assert_allclose(as_is.muscles.force_n, solution.muscles.force_n, atol=1e-8)
    np.testing.assert_allclose(as_is.loads.in_distal_n, solution.loads.in_distal_n, atol=1e-8)


@pytest.mark.data
@pytest.mark.osim
def test_what_muscles_do_not_push_is_the_same_however_they_share(ready, as_is):
    stride = ready.walk.observed.strides[0]
    frame = peaks_of(ready.walk, as_is, stride).second_frame
    rest_n = []
    for effort in (as_is, ready.solve(Change(exponent=4))):
        force_n = effort.loads.in_distal_n[frame, effort.loads.joints.index(f"hip_{stride.side[0]}")]
        pushes_n = ready.muscle_pushes_n(effort, stride.side, frame)
        rest_n.append(np.linalg.norm(force_n) - pushes_n.sum())
        assert pushes_n.sum() > rest_n[-1] > 0
    # Each is told along its own contact force, whose direction hardly differs.
    assert rest_n[0] == pytest.approx(rest_n[1], rel=0.03)


@pytest.mark.data
@pytest.mark.osim
def test_the_other_legs_muscles_do_not_push(ready, as_is):
    stride = ready.walk.observed.strides[0]
    pushes_n = ready.muscle_pushes_n(as_is, stride.side, peaks_of(ready.walk, as_is, stride).second_frame)
    far = "l" if stride.side == "right" else "r"
    strange = [i for i, name in enumerate(as_is.muscles.muscle_names) if name.endswith(f"_{far}")]
    np.testing.assert_allclose(pushes_n[strange], 0, atol=1e-9)


@pytest.mark.data
@pytest.mark.osim
@pytest.mark.parametrize("change", [Change(exponent=3), Change(by_volume=True), Change(stress=True)])
def test_no_sharing_of_effort_goes_below_the_bound(ready, as_is, change):
    stride = ready.walk.observed.strides[0]
    frame = peaks_of(ready.walk, as_is, stride).second_frame
    least_n = ready.least_contact_n(as_is, stride.side, frame)
    other = ready.solve(change)
    joint = other.loads.joints.index(f"hip_{stride.side[0]}")
    # Reserves differ a little between sharings.
    assert np.linalg.norm(other.loads.in_distal_n[frame, joint]) > 0.99 * least_n
    assert 0 < ready.least_contact_n(as_is, stride.side, frame, 0.0) < least_n


@pytest.mark.data
@pytest.mark.osim
def test_the_flexion_moment_is_scaled_down_but_never_up(ready, as_is):
    stride = ready.walk.observed.strides[0]
    found = ready.flexion_moment_nm_kg(as_is, stride)
    less = ready.solve(Change(flexion_at_half_nm_kg=0.5 * found))
    assert ready.flexion_moment_nm_kg(less, stride) == pytest.approx(0.5 * found)
    assert peaks_of(ready.walk, less, stride).second_n < peaks_of(ready.walk, as_is, stride).second_n
    same = ready.solve(Change(flexion_at_half_nm_kg=2 * found))
    np.testing.assert_array_equal(same.asked, as_is.asked)


@pytest.mark.data
@pytest.mark.osim
def test_twice_the_strength_halves_activations_where_no_bound_is_near(ready, as_is):
    double = ready.solve(Change(strength_n=2 * ready.fibres.strength_n, least_activation=0.0))
    single = ready.solve(Change(least_activation=0.0))
    inside = (single.muscles.activation > 0.02) & (single.muscles.activation < 0.9)
    frames = (single.muscles.activation < 0.9).all(axis=1)
    ratio = double.muscles.activation[frames][inside[frames]] / single.muscles.activation[frames][inside[frames]]
    assert np.median(ratio) == pytest.approx(0.5, abs=0.01)


@pytest.mark.data
@pytest.mark.osim
def test_plates_taken_earlier_ask_for_other_moments_and_come_back(ready, as_is):
    earlier = ready.solve(Change(plates_earlier_s=0.01))
    again = ready.solve(Change(plates_earlier_s=0.0))
    assert np.abs(earlier.asked - as_is.asked).max() > 1
    np.testing.assert_array_equal(again.asked, as_is.asked)


@pytest.mark.data
@pytest.mark.osim
def test_a_hip_further_forward_flexes_by_the_force_that_the_trunk_rests_on_it(ready, as_is):
    """In stance the pelvis pushes the thigh down, by about the body's weight less the leg's: 0.01 m of 8.2 N/kg."""
    stride = ready.walk.observed.strides[0]
    forward = ready.solve(Change(hip_forward_m=0.01))
    gained = ready.flexion_moment_nm_kg(forward, stride) - ready.flexion_moment_nm_kg(as_is, stride)
    assert gained == pytest.approx(0.082, rel=0.35)
    column = ready.walk.person.shared.names.index(f"knee_angle_{stride.side[0]}")
    np.testing.assert_array_equal(forward.asked[:, column], as_is.asked[:, column])


def test_a_body_carries_what_hangs_on_it():
    parent = np.array([0, 0, 1, 2, 1, 4])
    assert beyond(parent, 1) == [1, 2, 3, 4, 5]
    assert beyond(parent, 4) == [4, 5]
    assert beyond(parent, 3) == [3]


@pytest.mark.parametrize(("found", "factor"), [(1.2, 0.5), (0.6, 1.0), (0.3, 1.0), (0.0, 1.0), (-0.4, 1.0)])
def test_a_moment_is_lowered_to_what_is_wanted_and_one_that_extends_stays(found, factor):
    assert lowering(found, 0.6) == factor
