"""Real sessions with one fault put in: each is told by name, and neither person is accused as recorded."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.doctored_bodies import FAULTS, Recorded, read_recorded, size
from benchmarks.people import everybody, session_of
from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import pose_static
from pipeline.records import BodyFigure
from pipeline.session.recipe import load_recipe
from pipeline.sizing.body_figures import body_figures
from pipeline.sizing.estimate_body import estimate_body
from pipeline.sizing.evidence import regressed_hips
from pipeline.sizing.plausible import left_out, plausible, without_outlying_frames
from pipeline.sizing.priors.landmarks import marker_prior
from pipeline.sizing.unknown_bones import unknown_bones

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
        (ADULT, "everywhere: malleolus 5 cm up", "malleolus_height", ("R_FAL",)),
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


def bent_by(people, degrees: float) -> tuple[BodyFigure, ...]:
    """What is said of the adult's knees, standing bent by so much."""
    body = people[ADULT].body
    poses = body.posterior.poses.copy()
    knees = [body.shared.names.index(f"knee_angle_{side}") for side in "rl"]
    poses[np.ix_(np.flatnonzero(body.gathered.standing), knees)] = np.radians(degrees)
    bent = replace(body, posterior=replace(body.posterior, poses=poses))
    figures = plausible(bent, people[ADULT].subject, RECIPE.scaling)
    return tuple(figure for figure in figures if figure.figure == "standing_knee")


def test_a_knee_that_is_bent_backwards_is_no_crouch(people):
    for degrees, warned, refused in ((20, True, False), (50, True, True), (-20, False, False)):
        knees = bent_by(people, degrees)
        assert [knee.value for knee in knees] == pytest.approx([degrees, degrees])
        assert all(bool(knee.warning) == warned and knee.refused == refused for knee in knees)


def test_a_frame_that_shows_one_anterior_spine_says_nothing_of_the_pelvis(people):
    """Without it the pelvis leans as it did; were it counted, by the side's own height."""
    body = people[ADULT].body
    evidence, walking = body.gathered.evidence, np.flatnonzero(~body.gathered.standing)
    measured_m, precision = evidence.measured_m.copy(), evidence.precision.copy()
    # The left one jumps by a hand where the right one is hidden.
    column = {label: number for number, label in enumerate(body.gathered.labels)}
    precision[walking[0], column["R_IAS"]] = 0.0
    measured_m[walking[0], column["L_IAS"], 1] += 0.1
    one = replace(
        body, gathered=replace(body.gathered, evidence=replace(evidence, measured_m=measured_m, precision=precision))
    )

    def leans(of) -> float:
        figures = body_figures(of, RECIPE.scaling)
        return next(f.value for f in figures if (f.figure, f.of) == ("pelvis_less_spines", "walking"))

    assert leans(one) == pytest.approx(leans(body), abs=0.5)


def test_a_body_on_another_model_takes_no_landmarks_and_says_so(people, shared_data):
    """The adult on gait2354, which has bodies of the same names and no arms."""
    adult = people[ADULT]
    static = pose_static(adult.static, adult.profile, RECIPE.scaling)
    body = estimate_body(
        shared_data / "opensim_reference" / "gait2354" / "gait2354_simbody.osim",
        profile=adult.profile,
        subject=adult.subject,
        standing=static.pose,
        walks={},
        settings=RECIPE.scaling,
    )

    for label in ("R_IAS", "R_FLE", "R_FAL"):
        assert body.gathered.priors[label].bone_m == adult.profile.markers[label].location_m
    said = {figure.figure: figure for figure in unknown_bones(body)}
    assert "femur_r's joint on pelvis lies 20 mm from" in " ".join(figure.warning for figure in said.values())
    arms = {
        label
        for label, marker in adult.profile.markers.items()
        if marker.body.startswith(("humerus", "ulna", "radius", "hand"))
    }
    seen = arms & set(static.pose.labels)
    assert seen
    assert set(body.gathered.without_body) == seen
    assert "the model lacks the bodies" in said["markers_without_body"].warning
    assert not list(unknown_bones(adult.body))
    # Regressed hips are of the markers alone: the model doesn't matter.
    hips = [
        [b.gathered.evidence.measured_m[0, len(b.gathered.labels) + side] for side in (0, 1)]
        for b in (body, adult.body)
    ]
    np.testing.assert_allclose(hips[0], hips[1], atol=1e-6)


def test_hips_lie_where_they_do_whether_or_not_the_profile_names_the_spines(people):
    """The pelvis table names them: skin is taken off all the same."""
    adult = people[ADULT]
    plain = {label: marker.model_copy(update={"landmark": ""}) for label, marker in adult.profile.markers.items()}
    unnamed = adult.profile.model_copy(update={"markers": plain})
    pose = pose_static(adult.static, adult.profile, RECIPE.scaling).pose
    found = []
    for profile in (adult.profile, unnamed):
        # Without a malleolus neither knows how long the leg is.
        labels = [label for label in pose.labels if profile.markers[label].body == "pelvis"]
        priors = {label: marker_prior(profile.markers[label]) for label in labels}
        at_m = np.stack([pose.marker(label) for label in labels], axis=1)
        hips = regressed_hips(profile, ("femur_r", "femur_l"), labels, priors, at_m, np.array([True]))
        found.append(np.array([hips["hip_r"], hips["hip_l"]]))
    assert np.isfinite(found[0]).all()
    np.testing.assert_allclose(found[1], found[0], atol=1e-12)
