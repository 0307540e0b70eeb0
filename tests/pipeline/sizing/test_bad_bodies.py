"""Real sessions with one fault put in: each is told by name, and neither person is accused as recorded."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.doctored_bodies import FAULTS, Recorded, read_recorded, size
from benchmarks.people import everybody, session_of
from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import pose_static
from pipeline.session.recipe import load_recipe
from pipeline.sizing.plausible import left_out, plausible, without_outlying_frames

pytestmark = [pytest.mark.osim, pytest.mark.data]
PACKAGED = load_recipe("gait2hip60")
FEW = PACKAGED.scaling.model_copy(update={"walking_frames": 6})
RECIPE = PACKAGED.model_copy(update={"scaling": FEW})
ADULT, CHILD = "2014004", "HC044A"


@pytest.fixture(scope="module")
def people(shared_data, tmp_path_factory) -> dict[str, Recorded]:
    """An adult and a child as recorded, with the bodies they truly give."""
    found: dict[str, Recorded] = {}
    for person in everybody(shared_data):
        if person.facts.id in (ADULT, CHILD):
            recorded = read_recorded(session_of(person, tmp_path_factory.mktemp("people")))
            body, verdict = size(recorded, RECIPE)
            assert verdict.told == "", f"{person.facts.id} is accused: {verdict}"
            found[person.facts.id] = replace(recorded, body=body)
    return found


@pytest.mark.parametrize(
    ("who", "fault", "figure", "names"),
    [
        (ADULT, "static: exchanged knees, right and left", "sides_crossed", ("R_FLE", "L_FLE")),
        (ADULT, "static: exchanged fibular head and tuberosity", "exchanged_markers", ("R_FAX", "R_TTC")),
        (ADULT, "everywhere: exchanged both sides of a knee", "exchanged_markers", ("R_FLE", "R_FME")),
        (ADULT, "profile: epicondyle on the shank", "left_from_right", ("R_FLE",)),
        (ADULT, "static: malleolus 5 cm up", "marker_off", ("R_FAL",)),
        (ADULT, "static: one frame, long step", "foot_ahead", ()),
        (ADULT, "static: right foot off the ground", "foot_height", ()),
        (ADULT, "height + 10 cm", "height_by_neck", ("CV7",)),
        (ADULT, "height in centimetres", "session", ("height_m", "centimetres")),
        (CHILD, "static: a walk", "standing_travel", ("pelvis",)),
        (CHILD, "height − 10 cm", "height_by_neck", ("C7",)),
        (CHILD, "a child of 0.9 m", "height_outside_prior", ()),
        (CHILD, "static: no marker of a shank", "markers", ("RANK",)),
    ],
)
def test_a_fault_is_told_by_name(people, who, fault, figure, names):
    try:
        said = size(FAULTS[fault](people[who]), RECIPE)[1].refused
    except TrialRejected as rejected:
        said = (f"{rejected.stage}: {rejected.reason}",)

    told = [each for each in said if each.startswith(figure) and all(name in each for name in names)]
    assert told, f"{fault}: said only {said}"


def test_a_marker_that_came_off_for_a_while_is_left_out_and_named(people):
    body, verdict = size(FAULTS["walks: epicondyle 8 cm up, now and then"](people[ADULT]), RECIPE)

    assert verdict.told == "put right"
    assert "R_FLE is far from its place" in verdict.put_right[0]
    true, n_proportions = people[ADULT].body.posterior, len(body.prior.names)
    assert np.abs(body.posterior.shape - true.shape)[:n_proportions].max() < 0.01


def test_crouching_is_reported_and_costs_no_patient_the_session(people):
    body, verdict = size(FAULTS["static: crouching"](people[ADULT]), RECIPE)

    assert verdict.refused == ()
    bent = [figure.warning for figure in plausible(body, people[ADULT].subject, RECIPE.scaling) if figure.warning]
    assert [warning.split(" is ")[0] for warning in bent] == [
        "the standing knee of knee_angle_r",
        "the standing knee of knee_angle_l",
    ]
    true = people[ADULT].body.posterior
    assert np.abs(body.posterior.shape - true.shape)[: len(body.prior.names)].max() < 0.03


def test_a_marker_that_is_elsewhere_in_most_frames_is_not_left_out(people):
    """Left out, it would go unnoticed: it stays, and the figures judge it."""
    body = people[ADULT].body
    evidence, walking = body.gathered.evidence, ~body.gathered.standing
    measured_m = evidence.measured_m.copy()
    measured_m[walking, body.gathered.labels.index("R_FLE")] += 0.2
    moved = replace(body, gathered=replace(body.gathered, evidence=replace(evidence, measured_m=measured_m)))

    again, sentences = without_outlying_frames(moved, RECIPE.scaling)

    assert again is moved
    assert sentences == ()
    figures = {figure.of: figure for figure in plausible(again, people[ADULT].subject, RECIPE.scaling)}
    assert figures["R_FLE, walking"].refused


def test_the_share_of_a_marker_s_frames_that_is_left_out(people):
    before = people[ADULT].body.gathered
    precision = before.evidence.precision.copy()
    walking = np.flatnonzero(~before.standing)
    precision[walking[: len(walking) // 2], before.labels.index("R_FME")] = 0.0

    after = replace(before, evidence=replace(before.evidence, precision=precision))

    assert left_out(before, after) == {"R_FME": 0.5}
    assert left_out(before, before) == {}


def test_spines_that_were_exchanged_and_put_right_leave_the_ground_frame_right(people):
    """As they were labelled the pelvis faces another way; put right, the person stands as they did."""
    adult = people[ADULT]
    exchanged = FAULTS["static: exchanged front and back iliac spine"](adult)

    pose = pose_static(exchanged.static, adult.profile, RECIPE.scaling).pose

    true = pose_static(adult.static, adult.profile, RECIPE.scaling).pose
    np.testing.assert_allclose(pose.positions_m, true.positions_m, atol=1e-9)
