from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.ground.gait_events import detect_events, in_stance, motion_events, refuse_left_early
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.records import Event
from tests.pipeline.conftest import FIRST_STRIKE_S, MASS_KG, STANCE_S, STRIDE_S


def events_of(recording, profile, recipe):
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, recording.marker_labels)
    plates = plates_in_ground(recording, rotation)
    contacts = find_contacts(recording, plates, markers, profile, MASS_KG, recipe.ground_reactions)
    return detect_events(recording, markers, profile, contacts, recipe.ground_reactions), markers


def test_force_tells_where_a_plate_was_hit_and_motion_elsewhere(walker, profile, recipe):
    events, _ = events_of(walker.recording(), profile, recipe)
    for side in ("right", "left"):
        assert events.times("foot_strike", side) == pytest.approx(walker.strikes(side), abs=0.012)
        assert events.times("foot_off", side) == pytest.approx(walker.offs(side), abs=0.012)
    sources = {(e.kind, e.side): e.source for e in events.events if e.time_s < FIRST_STRIKE_S["left"] + 0.1}
    assert sources[("foot_strike", "right")] == "force"


def test_without_plates_motion_alone_is_within_its_known_bias(walker, profile, recipe):
    events, _ = events_of(walker.recording(plates=()), profile, recipe)
    assert events.kinematic_bias_s == {"foot_strike": 0.0, "foot_off": 0.0}
    # The foot reaches the pelvis' speed once 30 s² (1 - s)² · stride / swing = 1: 59 ms into this walker's swing.
    assert events.times("foot_off", "left") == pytest.approx(walker.offs("left") + 0.059, abs=0.003)
    assert events.times("foot_strike", "left") == pytest.approx(walker.strikes("left") - 0.059, abs=0.003)


def test_the_laboratorys_own_events_are_compared(walker, profile, recipe):
    theirs = tuple(
        Event(kind="foot_strike", side="right", time_s=t + 0.02, label="Foot Strike") for t in walker.strikes("right")
    )
    events, _ = events_of(replace(walker, events=theirs).recording(), profile, recipe)
    assert events.laboratory_difference_s == pytest.approx(-0.02, abs=0.012)
    assert np.isnan(events_of(walker.recording(), profile, recipe)[0].laboratory_difference_s)


def test_stance_runs_from_strike_to_toe_off(walker, profile, recipe):
    events, markers = events_of(walker.recording(), profile, recipe)
    down = in_stance(events, "right", markers.time_s)
    phase = (markers.time_s - FIRST_STRIKE_S["right"]) % STRIDE_S
    clear = (np.abs(phase - STANCE_S) > 0.02) & (phase > 0.02) & (phase < STRIDE_S - 0.02)
    assert (down == (phase < STANCE_S))[clear].all()


def test_a_foot_that_never_lifts_is_taken_to_stand(walker, profile, recipe):
    events, _ = events_of(walker.recording(), profile, recipe)
    none = replace(events, events=())
    assert in_stance(none, "right", np.arange(3.0)).all()


def test_standing_is_not_a_walk(walker, profile, recipe):
    recording = walker.recording(plates=())
    still = np.repeat(recording.markers_m[:1], len(recording.time_s), axis=0)
    with pytest.raises(TrialRejected, match="not a walk"):
        events_of(replace(recording, markers_m=still), profile, recipe)


def test_a_heel_that_is_hardly_seen_is_named(walker, profile, recipe):
    recording = walker.recording(plates=())
    markers = recording.markers_m.copy()
    markers[60:, recording.marker_labels.index("R_FCC")] = np.nan
    with pytest.raises(TrialRejected, match="R_FCC"):
        events_of(replace(recording, markers_m=markers), profile, recipe)


def test_a_foot_that_rolls_off_its_plate_before_it_leaves_the_floor_is_told(walker, profile, recipe):
    recording = walker.recording()
    time_s = np.arange(len(recording.analog)) / recording.analog_rate_hz
    stays = (time_s < FIRST_STRIKE_S["right"] + STANCE_S - 0.2)[:, None]
    first = recording.plates[0]
    early = replace(first, force_n=first.force_n * stays, moment_nm=first.moment_nm * stays)
    told = {}
    for name, plate in (("early", early), ("whole", first)):
        changed = replace(recording, plates=(plate, recording.plates[1]))
        rotation = ground_rotation(changed, profile)
        markers = to_ground(changed, rotation, changed.marker_labels)
        settings = recipe.ground_reactions
        contacts = find_contacts(changed, plates_in_ground(changed, rotation), markers, profile, MASS_KG, settings)
        motion = motion_events("walk.c3d", markers, profile, settings)
        found = refuse_left_early(contacts, markers, motion, settings)
        told[name] = {contact.side: contact.reason for contact in found}
    assert told["whole"] == {"right": "", "left": ""}
    assert told["early"]["left"] == ""
    assert "foot rolled off plate 1 0.2" in told["early"]["right"]


def test_the_laboratorys_own_strike_is_used_where_ours_would_lie_beyond_the_record(walker, profile, recipe):
    # The plates are loaded long after the heel is farthest forward: our last strike would be as late, after the end.
    ends_s = FIRST_STRIKE_S["right"] + STRIDE_S + 0.04
    late = replace(walker, load_delay_s=0.05, duration_s=ends_s)
    theirs = Event(kind="foot_strike", side="right", time_s=ends_s - 0.03, label="Foot Strike")
    without, _ = events_of(late.recording(), profile, recipe)
    found, _ = events_of(replace(late, events=(theirs,)).recording(), profile, recipe)
    assert len(without.times("foot_strike", "right")) == 1
    assert found.times("foot_strike", "right")[1] == theirs.time_s
    assert [event.source for event in found.events if event.time_s == theirs.time_s] == ["laboratory"]
    # One that motion knows nothing of is not.
    wrong = replace(theirs, time_s=ends_s - 0.5)
    assert events_of(replace(late, events=(wrong,)).recording(), profile, recipe)[0].events == without.events
