"""Twelve walks of six adults: which foot stood on which plate, and what the ground did to it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.read_c3d import read_c3d
from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.markers.observed import used_labels
from pipeline.osim.files import read_storage
from pipeline.session.load_profile import load_profile
from pipeline.session.recipe import load_recipe

pytestmark = pytest.mark.data

FOOT_CODE = {"right": "1", "left": "2", None: "0"}


def walks(shared_data: Path) -> list[Path]:
    found = sorted((shared_data / "walking_adults").glob("2*/*_C[45]_*.c3d"))
    assert len(found) == 12
    return found


def table(path: Path, key: str) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def contacts_of(path: Path, shared_data: Path):
    profile, recipe = load_profile("isb_full_body"), load_recipe("gait2hip60")
    recording = read_c3d(path)
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, used_labels(recording, profile))
    plates = plates_in_ground(recording, rotation)
    people = table(shared_data / "walking_adults" / "anthropometrics.csv", "subjectID")
    mass_kg = float(people[path.parent.name]["mass"])
    return recording, plates, find_contacts(recording, plates, markers, profile, mass_kg, recipe.ground_reactions)


def test_every_contact_is_given_to_the_foot_that_the_laboratory_saw(shared_data):
    expected = table(shared_data / "walking_adults" / "plate_contacts.csv", "subjectId")
    for path in walks(shared_data):
        _, plates, contacts = contacts_of(path, shared_data)
        code = {plate.number: "0" for plate in plates}
        code |= {contact.plate: FOOT_CODE[contact.side] for contact in contacts if contact.usable}
        subject, trial = path.stem.split("_", 1)
        assert "".join(code[number] for number in sorted(code)) == expected[subject][trial].zfill(2), path.name


def test_force_and_centre_of_pressure_are_the_reference_groups(shared_data, record_figure):
    worst = np.zeros(2)
    for path in walks(shared_data):
        recording, plates, contacts = contacts_of(path, shared_data)
        sample_s = recording.time_s[0] + np.arange(len(recording.analog)) / recording.analog_rate_hz
        names, time_s, values, _ = read_storage(
            shared_data / "walking_adults" / "reference" / path.parent.name / f"{path.stem}_grf.mot"
        )
        for contact in contacts:
            plate = plates[contact.plate - 1]
            cop_m, _ = centre_of_pressure(plate, 20.0)
            # Their rows are at other times than our samples: compare where the foot stands, on straight lines between.
            inside = (time_s > contact.start_s + 0.01) & (time_s < contact.stop_s - 0.01)
            ours_n, ours_m = (interpolated(time_s, sample_s, signal) for signal in (plate.force_n, cop_m))
            theirs_n, theirs_m = (
                values[:, [names.index(f"ground_force_{contact.plate}_{part}{axis}") for axis in "xyz"]]
                for part in "vp"
            )
            loaded = inside & (theirs_n[:, 1] > 50)
            assert loaded.sum() > 300
            figures = np.abs(ours_n - theirs_n)[inside].max(), np.abs(ours_m - theirs_m)[loaded].max()
            worst = np.maximum(worst, figures)
    record_figure("adults' ground reaction force, largest difference", f"{worst[0]:.2g} N", "1 N")
    record_figure("adults' centre of pressure above 50 N, largest difference", f"{worst[1] * 1e3:.2g} mm", "2 mm")
    assert worst[0] <= 1.0
    assert worst[1] <= 2e-3


def interpolated(time_s: np.ndarray, sample_s: np.ndarray, signal: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(time_s, sample_s, column) for column in signal.T], axis=1)
