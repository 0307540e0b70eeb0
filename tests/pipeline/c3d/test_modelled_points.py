"""Points that the laboratory's software computed: markers where a session has none of their name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.modelled_points import why_no_marker, with_modelled_points
from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.markers.observed import used_labels
from pipeline.records import ModelOutput, Recording, SubjectBlock
from pipeline.session.load_profile import load_profile

KNEE_MM = np.tile([100.0, 200, 500], (3, 1))


def recording(**outputs: ModelOutput) -> Recording:
    return Recording(
        path=Path("static.c3d"),
        time_s=np.arange(3) / 100,
        point_rate_hz=100.0,
        marker_labels=("RASI",),
        markers_m=np.ones((3, 1, 3)),
        analog_rate_hz=100.0,
        analog_labels=(),
        analog_units=(),
        analog=np.empty((3, 0)),
        plates=(),
        events=(),
        subject=SubjectBlock(),
        model_outputs=outputs,
    )


def output(label="RKNE", kind="modelled_marker", unit="mm", values=KNEE_MM):
    return ModelOutput(label=label, kind=kind, unit=unit, values=values)


def test_a_needed_point_becomes_a_marker_in_metres_and_is_told():
    found = with_modelled_points(recording(RKNE=output(), LKNE=output("LKNE")), ("RASI", "RKNE"))
    assert found.marker_labels == ("RASI", "RKNE")
    np.testing.assert_allclose(found.marker("RKNE"), KNEE_MM / 1000)
    assert set(found.model_outputs) == {"LKNE"}
    assert found.warnings[0].startswith("RKNE: no marker, but computed")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (output(kind="angle", unit="deg"), "RKNE is the name of a computed angle in it"),
        (output(unit="furlong"), "RKNE is there as a modelled point, in the unknown unit 'furlong'"),
        (output(values=np.full((3, 3), np.nan)), "RKNE is there as a modelled point"),
    ],
)
def test_what_is_no_place_stays_and_the_error_says_so(other, words):
    given = recording(RKNE=other)
    assert with_modelled_points(given, ("RKNE",)) is given
    assert words in why_no_marker(given, "RKNE")


def test_a_marker_goes_before_a_point():
    given = replace(recording(RASI=output("RASI")))
    assert with_modelled_points(given, ("RASI",)) is given


def test_nothing_is_said_of_what_is_not_there():
    assert why_no_marker(recording(), "RKNE") == ""


def test_the_error_of_a_missing_marker_tells_of_the_point():
    with pytest.raises(TrialRejected, match="RKNE is there as a modelled point"):
        used_labels(recording(RKNE=output()), load_profile("plug_in_gait"))


@pytest.mark.data
@pytest.mark.parametrize("name", ["FMC/MH0222_BP01.c3d", "RCH/RCH.01.c3d"])
def test_the_knees_of_alignment_devices(shared_data, name):
    given = read_c3d(shared_data / "hospitals" / name)
    found = with_modelled_points(given, ("RKNE", "LKNE", "RASI"))
    assert {"RKNE", "LKNE"} <= set(found.marker_labels) - set(given.marker_labels)
    # Knees of a standing adult: half a metre above the floor, a pelvis' width apart.
    for label in ("RKNE", "LKNE"):
        assert np.nanmean(found.marker(label)[:, 2]) == pytest.approx(0.5, abs=0.06)
    assert "RKNE" in found.warnings[-1]
