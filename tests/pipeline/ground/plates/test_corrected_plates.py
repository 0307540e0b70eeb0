from dataclasses import replace

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.errors import TrialRejected
from pipeline.ground.plates.corrected_plates import corrected, with_corrected_plates
from pipeline.records import ForcePlate
from pipeline.session.profile import PlateCorrection

FORCE_N, PRESSURE_M, FREE_NM = np.array([30.0, -20.0, 700.0]), np.array([0.25, 0.40, 0.0]), 5.0
ORIGIN_M = np.array([0.3, 0.3, -0.04])


def plate(type_: int = 2) -> ForcePlate:
    """A plate whose own x is the laboratory's y, y its x and z down, with the force that is given above."""
    corners_m = np.array([[0.6, 0.6, 0.0], [0.6, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.6, 0.0]])
    moment_nm = np.cross(PRESSURE_M - ORIGIN_M, FORCE_N) + np.array([0.0, 0.0, FREE_NM])
    return ForcePlate(
        number=2,
        type=type_,
        corners_m=corners_m,
        origin_m=ORIGIN_M,
        normal=np.array([0.0, 0.0, 1.0]),
        force_n=FORCE_N[None],
        moment_nm=moment_nm[None],
    )


@pytest.mark.parametrize(
    ("how", "force_n"),
    [
        ({"reverse": ["fx"]}, [30.0, 20.0, 700.0]),
        ({"reverse": ["fy"]}, [-30.0, -20.0, 700.0]),
        ({"exchange": [["fx", "fy"]]}, [-20.0, 30.0, 700.0]),
        ({"exchange": [["fx", "fy"]], "reverse": ["fx"]}, [-20.0, -30.0, 700.0]),
        ({"times": {"fz": 1.1}}, [30.0, -20.0, 770.0]),
    ],
)
def test_channels_are_the_plates_own(how: dict[str, object], force_n: list[float]) -> None:
    found = corrected(plate(), PlateCorrection.model_validate(how))
    np.testing.assert_allclose(found.force_n, [force_n], atol=1e-9)
    np.testing.assert_allclose(found.moment_nm, plate().moment_nm, atol=1e-9)


def test_where_the_force_acts_stays_where_a_file_states_it() -> None:
    found = corrected(plate(type_=1), PlateCorrection(reverse=("fx",)))
    at_m, free_nm = centre_of_pressure(found)
    np.testing.assert_allclose(at_m, [PRESSURE_M], atol=1e-9)
    np.testing.assert_allclose(free_nm, [FREE_NM], atol=1e-9)


def test_a_free_moment_is_reversed_where_it_acts() -> None:
    found = corrected(plate(), PlateCorrection(reverse=("free_moment",)))
    at_m, free_nm = centre_of_pressure(found)
    np.testing.assert_allclose(at_m, [PRESSURE_M], atol=1e-9)
    np.testing.assert_allclose(free_nm, [-FREE_NM], atol=1e-9)
    np.testing.assert_allclose(found.force_n, [FORCE_N], atol=1e-9)


def test_what_is_corrected_is_told_and_a_plate_that_is_not_there_is_refused(walker) -> None:
    recording, reverse = walker.recording(), PlateCorrection(reverse=("fx", "mz"))
    first = recording.plates[0].number
    found = with_corrected_plates(recording, {first: reverse})
    assert found.warnings[-1] == f"plate {first} is put right as [plates.{first}] says: fx reversed, mz reversed"
    assert found.plates[1:] == recording.plates[1:]
    twice = with_corrected_plates(replace(found, warnings=()), {first: reverse})
    np.testing.assert_allclose(twice.plates[0].force_n, recording.plates[0].force_n, atol=1e-9)
    with pytest.raises(TrialRejected, match=r"\[plates\.77\] corrects another"):
        with_corrected_plates(recording, {77: reverse})


def test_a_plate_that_the_reader_left_out_is_told_with_its_reason_and_costs_no_other(walker) -> None:
    recording, reverse = walker.recording(), PlateCorrection(reverse=("fz",))
    left_out = "force plate 77 is left out: it pulls down by up to 700 N"
    found = with_corrected_plates(replace(recording, warnings=(left_out,)), {77: reverse})
    assert found.plates == recording.plates
    assert found.warnings == (left_out, f"[plates.77] corrects nothing here: {left_out}")
