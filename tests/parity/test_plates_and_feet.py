"""A runner on a treadmill, a turning child and a hospital's standing adult: what plates and feet tell of them."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.ground.body_weight import weigh_standing
from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.ground.cycles import measured_strides
from pipeline.ground.floor import belt_velocity_m_s
from pipeline.ground.foot_wrench import foot_wrench
from pipeline.ground.gait_events import detect_events, motion_events, refuse_left_early
from pipeline.ground.progression import path_speed_m_s, with_headings
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.markers.static_trial import StaticTrial
from pipeline.records import SIDES
from pipeline.session.profile import FootLabels, Pelvis, Profile, ProfileMarker, foot_of
from pipeline.session.recipe import load_recipe
from pipeline.signals import fill_gaps

pytestmark = pytest.mark.data
RECIPE = load_recipe("gait2hip60")
SETTINGS = RECIPE.ground_reactions


def feet_and_pelvis(pelvis: tuple[str, ...], right: tuple[str, str], left: tuple[str, str]) -> Profile:
    """A profile that knows no more than plates and events need."""
    marker = ProfileMarker(body="pelvis", location_m=(0, 0, 0), ik_weight=1, static_weight=1)
    return Profile(
        name="feet and pelvis",
        description="",
        source="",
        pelvis=Pelvis(right_anterior=pelvis[0], left_anterior=pelvis[1], posterior=pelvis[2:]),
        right_foot=FootLabels(heel=right[0], toe=right[1]),
        left_foot=FootLabels(heel=left[0], toe=left[1]),
        same_segment=(),
        markers=dict.fromkeys((*pelvis, *right, *left), marker),
        measurements=(),
    )


PLUG_IN = feet_and_pelvis(("RASI", "LASI", "RPSI", "LPSI"), ("RHEE", "RTOE"), ("LHEE", "LTOE"))
PLUG_IN_SACRAL = feet_and_pelvis(("RASI", "LASI", "SACR"), ("RHEE", "RTOE"), ("LHEE", "LTOE"))
RUNNER = feet_and_pelvis(
    ("R.ASIS", "L.ASIS", "R.PSIS", "L.PSIS"), ("R.Heel.Bottom", "R.MT1"), ("L.Heel.Bottom", "L.MT1")
)


def walk_of(path: Path, profile: Profile, mass_kg: float):
    """Markers, contacts and complete strides of a recording."""
    recording = read_c3d(path)
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, tuple(profile.markers))
    markers = replace(markers, positions_m=fill_gaps(markers.positions_m, markers.rate_hz, RECIPE.markers.max_gap_s))
    plates = plates_in_ground(recording, rotation)
    contacts = refuse_left_early(
        find_contacts(recording, plates, markers, profile, mass_kg, SETTINGS),
        markers,
        motion_events(path.name, markers, profile, SETTINGS),
        SETTINGS,
    )
    events = detect_events(recording, markers, profile, contacts, SETTINGS)
    wrenches = {
        side: foot_wrench(side, foot_of(profile, side), recording, plates, contacts, events, markers, SETTINGS)
        for side in SIDES
    }
    strides, _ = measured_strides(markers.time_s, wrenches, events, RECIPE.cycles)
    return markers, contacts, with_headings(strides, markers, profile)


def test_every_step_of_a_run_on_one_plate_is_one_foots(shared_data, record_figure):
    markers, contacts, strides = walk_of(shared_data / "treadmill" / "RBDS002runT25.c3d", RUNNER, 80.0)
    assert all(contact.usable for contact in contacts)
    assert all(before.side != after.side for before, after in pairwise(contacts))
    lasts = np.array([contact.stop_s - contact.start_s for contact in contacts[1:-1]])
    assert lasts.min() > 0.3
    assert lasts.max() < 0.4
    # Each contact begins a stride but those whose next strike is not recorded, and the one that was under way.
    assert len(strides) == len(contacts) - 3
    belt_m_s = belt_velocity_m_s(markers, RUNNER, SETTINGS)
    record_figure("treadmill's belt, set to 2.5 m/s", f"{-belt_m_s[0]:.3f} m/s", "2.5 ± 0.05 m/s")
    assert belt_m_s == pytest.approx([-2.5, 0, 0], abs=0.05)
    assert path_speed_m_s(markers, RUNNER, strides, belt_m_s) == pytest.approx(2.5, abs=0.05)
    assert max(abs(stride.heading_change_deg) for stride in strides) < 10


def test_a_childs_turn_is_told_from_its_straight_walk(shared_data, record_figure):
    folder = shared_data / "walking_children_more" / "HC044A"
    changes = {}
    for name, file in (("straight", "HC044A15.c3d"), ("turn", "turn/HC044A29.c3d")):
        _, _, strides = walk_of(folder / file, PLUG_IN_SACRAL, 39.4)
        changes[name] = [stride.heading_change_deg for stride in strides]
        assert len(strides) == 2
    record_figure("a child's turn over a stride", f"{changes['turn'][0]:.0f}°", "over 20°")
    assert max(np.abs(changes["straight"])) < 5
    assert max(changes["turn"]) < -50


def test_an_adult_with_a_forefoot_over_a_plates_edge_is_weighed_walking(shared_data, record_figure):
    folder = shared_data / "hospitals" / "FMC"
    recording = read_c3d(folder / "MH0222_BP08.c3d")
    pose = to_ground(recording, ground_rotation(recording, PLUG_IN), tuple(PLUG_IN.markers))
    middle = len(pose.time_s) // 2
    static = StaticTrial(recording=recording, pose=pose.cut(slice(middle, middle + 1)), warnings=())
    weighed = weigh_standing(static, PLUG_IN, 81.0, RECIPE)
    record_figure("FMC standing, a forefoot over an edge", f"{weighed.mass_kg:.1f} kg", "set aside")
    assert weighed.mass_kg == pytest.approx(69.7, abs=0.1)
    assert "the right foot reaches" in weighed.aside
    assert "over the edge of plate 3" in weighed.aside
