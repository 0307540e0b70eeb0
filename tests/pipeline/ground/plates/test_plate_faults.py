"""A body that steps from one plate to the next: what it needs is known, and so is what a doctored plate gives."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.ground.plates.corrected_plates import corrected
from pipeline.ground.plates.plate_faults import (
    GivenWrench,
    NeededWrench,
    PlateAgreement,
    judge_plates,
    plate_warnings,
    why_plates_refused,
)
from pipeline.records import ForcePlate
from pipeline.session.profile import PlateCorrection

MASS_KG, HZ, N = 70.0, 100.0, 160
WEIGHT_N = MASS_KG * 9.80665
TIME_S = np.arange(N) / HZ
# The laboratory's x is forward and its z up.
ROTATION = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def stances() -> tuple[NeededWrench, list[ForcePlate]]:
    """Two steps of 0.7 s, 0.6 m apart, with what each plate measures of them, and the sum's whole need."""
    shares, force, moment = [], np.zeros((N, 3)), np.zeros((N, 3))
    for number, (start_s, middle_m, side) in enumerate([(0.1, 0.4, 1.0), (0.75, 1.0, -1.0)], start=1):
        phase = np.clip((TIME_S - start_s) / 0.7, 0, 1)
        up = WEIGHT_N * (np.sin(np.pi * phase) + 0.25 * np.sin(3 * np.pi * phase))
        forward, left = -0.2 * WEIGHT_N * np.sin(2 * np.pi * phase), side * 0.05 * up
        force_n = np.column_stack([forward, left, up])
        at_m = np.column_stack([middle_m - 0.1 + 0.2 * phase, np.full(N, -side * 0.08), np.zeros(N)])
        free_nm = 4 * side * np.sin(2 * np.pi * phase)
        centre = np.array([middle_m, 0.0, 0.0])
        corners_m = centre + np.array([[0.25, 0.25, 0], [0.25, -0.25, 0], [-0.25, -0.25, 0], [-0.25, 0.25, 0]])
        about = np.cross(at_m - centre, force_n) + free_nm[:, None] * [0, 0, 1]
        shares.append(
            ForcePlate(
                number=number,
                type=2,
                corners_m=corners_m,
                origin_m=centre,
                normal=np.array([0.0, 0, 1]),
                force_n=force_n,
                moment_nm=about,
            )
        )
        force += force_n @ ROTATION.T
        moment += (about + np.cross(centre, force_n)) @ ROTATION.T
    mass_centre_m = np.column_stack([0.2 + 0.9 * TIME_S, np.full(N, 0.95), np.zeros(N)])
    needed = NeededWrench(
        time_s=TIME_S,
        force_n=force,
        moment_nm=moment - np.cross(mass_centre_m, force),
        mass_centre_m=mass_centre_m,
    )
    return needed, shares


def judged(recipe, *doctor: Callable[[ForcePlate], ForcePlate]) -> PlateAgreement:
    """The verdict on the plates, the first doctored by the first and so on."""
    needed, shares = stances()
    given = [
        (doctor[index] if index < len(doctor) else lambda plate: plate)(plate) for index, plate in enumerate(shares)
    ]
    force = np.sum([plate.force_n @ ROTATION.T for plate in given], axis=0)
    moment = np.sum(
        [(plate.moment_nm + np.cross(plate.origin_m, plate.force_n)) @ ROTATION.T for plate in given], axis=0
    )
    known = np.ones(N, dtype=bool)
    wrench = GivenWrench(force_n=force, moment_nm=moment, known=known, shares=given, rotation=ROTATION)
    return judge_plates(needed, wrench, WEIGHT_N, recipe.inverse_dynamics)


def by(**how: object) -> Callable[[ForcePlate], ForcePlate]:
    correction = PlateCorrection.model_validate(how)
    return lambda plate: corrected(plate, correction)


def unchanged(plate: ForcePlate) -> ForcePlate:
    return plate


def test_true_plates_agree_in_every_component(recipe) -> None:
    found = judged(recipe)
    assert found.correlation == pytest.approx({"forward": 1.0, "up": 1.0, "sideways": 1.0})
    assert found.gain == pytest.approx({"forward": 1.0, "up": 1.0, "sideways": 1.0})
    assert found.free_moment_gain == pytest.approx(1.0)
    assert why_plates_refused(found, recipe.inverse_dynamics) == ""
    assert plate_warnings(found, recipe.inverse_dynamics) == []


@pytest.mark.parametrize(
    ("wrong", "sentence", "setting"),
    [
        (by(reverse=["fx"]), "the sideways force (fx) explains the motion with its sign reversed", 'reverse = ["fx"]'),
        (by(reverse=["fy"]), "the fore-aft force (fy) explains the motion with its sign reversed", 'reverse = ["fy"]'),
        (by(exchange=[["fx", "fy"]]), "explains the motion with fx and fy exchanged", 'exchange = [["fx", "fy"]]'),
        (by(reverse=["mz"]), "the moment about the vertical explains the motion with its sign", 'reverse = ["mz"]'),
        (
            by(times={"mx": 0.001, "my": 0.001, "mz": 0.001}),
            "the moments explain the motion times 1000: they are in N·m where N·mm is stated",
            "times = { mx = 1000, my = 1000, mz = 1000 }",
        ),
        (by(reverse=["fx", "fy", "fz", "mx", "my", "mz"]), "with all signs reversed", '"mz"]'),
    ],
)
def test_what_explains_the_motion_is_said_of_the_plate_that_is_wrong(recipe, wrong, sentence, setting) -> None:
    why = why_plates_refused(judged(recipe, unchanged, wrong), recipe.inverse_dynamics)
    assert "Plate 2: " in why
    assert sentence in why
    assert setting in why.split("write [plates.2] ")[1]
    assert "plate 1" not in why.lower()
    both = why_plates_refused(judged(recipe, wrong, wrong), recipe.inverse_dynamics)
    assert "Plate 1: " in both
    assert "; plate 2: " in both


def of_a_file_of_ground_reactions(plate: ForcePlate) -> ForcePlate:
    """The same forces as OpenSim's files have them: y is up, and no edges are stated."""
    return replace(
        plate,
        corners_m=np.full((4, 3), np.nan),
        origin_m=ROTATION @ plate.origin_m,
        normal=np.array([0.0, 1, 0]),
        force_n=plate.force_n @ ROTATION.T,
        moment_nm=plate.moment_nm @ ROTATION.T,
    )


@pytest.mark.parametrize(
    ("wrong", "sentence", "setting"),
    [
        ({"reverse": ["fz"]}, "the sideways force (fz) explains the motion with its sign", 'reverse = ["fz"]'),
        ({"reverse": ["fx"]}, "the fore-aft force (fx) explains the motion with its sign", 'reverse = ["fx"]'),
        ({"reverse": ["fx", "fz"]}, "the horizontal force explains the motion with both", 'reverse = ["fx", "fz"]'),
        ({"exchange": [["fx", "fz"]]}, "with fx and fz exchanged", 'exchange = [["fx", "fz"]]'),
    ],
)
def test_channels_of_a_file_with_y_up_are_named_by_what_they_are(recipe, wrong, sentence, setting) -> None:
    needed, shares = stances()
    doctor = by(**wrong)
    given = [of_a_file_of_ground_reactions(plate) for plate in shares]
    given = [doctor(given[0]), given[1]]
    wrench = GivenWrench(
        force_n=np.sum([plate.force_n for plate in given], axis=0),
        moment_nm=np.sum([plate.moment_nm + np.cross(plate.origin_m, plate.force_n) for plate in given], axis=0),
        known=np.ones(N, dtype=bool),
        shares=given,
        rotation=np.eye(3),
    )
    why = why_plates_refused(judge_plates(needed, wrench, WEIGHT_N, recipe.inverse_dynamics), recipe.inverse_dynamics)
    assert f"Plate 1: {sentence}" in why or f"Plate 1: the horizontal force explains the motion {sentence}" in why
    assert f"[plates.1] {setting}" in why


def test_a_reversed_free_moment_is_told_by_the_turning_of_the_body(recipe) -> None:
    found = judged(recipe, by(reverse=["free_moment"]), by(reverse=["free_moment"]))
    assert found.free_moment_gain == pytest.approx(-1.0, abs=0.01)
    assert "the free moment explains the motion with its sign reversed" in why_plates_refused(
        found, recipe.inverse_dynamics
    )


def test_a_plate_that_weighs_more_than_the_other_is_named(recipe) -> None:
    slight, grave = (judged(recipe, unchanged, by(times=dict.fromkeys(["fz", "mx", "my"], f))) for f in (1.07, 1.12))
    assert found_in(plate_warnings(slight, recipe.inverse_dynamics), "plate 2: the vertical force is 7% more than")
    assert why_plates_refused(slight, recipe.inverse_dynamics) == ""
    assert "Plate 2: the vertical force is 12% more" in why_plates_refused(grave, recipe.inverse_dynamics)


def test_a_plate_stated_elsewhere_is_named_with_how_far(recipe) -> None:
    def further(plate: ForcePlate) -> ForcePlate:
        along = np.array([0.07, 0.0, 0.0])
        return replace(plate, origin_m=plate.origin_m + along, corners_m=plate.corners_m + along)

    found = judged(recipe, further)
    assert found.shift_m[1] == pytest.approx([0.07, 0.0], abs=0.002)
    assert found_in(plate_warnings(found, recipe.inverse_dynamics), "plate 1: its pressure lies 70 mm too far forward")


@pytest.mark.parametrize("far_m", [0.03, 0.07, 0.09, 0.12])
def test_a_plate_stated_further_to_a_side_is_told_so_and_no_channel_of_it_accused(recipe, far_m) -> None:
    """It turns the body about the vertical as a free moment does: whoever reversed that would store wrong moments."""
    aside = np.array([0.0, far_m, 0.0])
    found = judged(recipe, *[lambda plate: replace(plate, origin_m=plate.origin_m + aside)] * 2)
    assert not found.faults
    limits = recipe.inverse_dynamics
    told = found_in(
        plate_warnings(found, limits), f"plate 1: its pressure lies {far_m * 1e3:.0f} mm too far to the left"
    )
    assert bool(told) == (far_m > limits.report_pressure_shift_m)


def test_a_pressure_that_stands_still_is_named_whatever_else_it_looks_like(recipe) -> None:
    def still(plate: ForcePlate) -> ForcePlate:
        return replace(plate, moment_nm=plate.moment_nm * [0.0, 0.0, 1.0])

    why = why_plates_refused(judged(recipe, still), recipe.inverse_dynamics)
    assert "times 1000" in why or "its pressure stands still, within 0 mm" in why


def test_a_motion_that_explains_nothing_accuses_nobody(recipe) -> None:
    """As where no marker tells how the trunk moves."""
    needed, shares = stances()
    swaying = 0.6 * WEIGHT_N * np.sin(2 * np.pi * 2.3 * TIME_S)[:, None]
    needed = replace(needed, force_n=needed.force_n + swaying, moment_nm=needed.moment_nm + swaying)
    force = np.sum([plate.force_n @ ROTATION.T for plate in shares], axis=0)
    moment = np.sum(
        [(plate.moment_nm + np.cross(plate.origin_m, plate.force_n)) @ ROTATION.T for plate in shares], axis=0
    )
    given = GivenWrench(force_n=force, moment_nm=moment, known=np.ones(N, dtype=bool), shares=shares, rotation=ROTATION)
    assert judge_plates(needed, given, WEIGHT_N, recipe.inverse_dynamics).faults == ()


def test_too_little_on_the_plates_tells_nothing(recipe) -> None:
    needed, shares = stances()
    nothing = np.zeros((N, 3))
    given = GivenWrench(
        force_n=nothing, moment_nm=nothing, known=np.zeros(N, dtype=bool), shares=shares, rotation=ROTATION
    )
    found = judge_plates(needed, given, WEIGHT_N, recipe.inverse_dynamics)
    assert np.isnan([*found.correlation.values(), *found.gain.values(), found.free_moment_gain]).all()
    assert (found.faults, dict(found.vertical)) == ((), {})


def found_in(told: list[str], text: str) -> bool:
    return any(text in one for one in told)
