"""From a made-up walker's recording to wrenches, events and plates."""

from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.ground.foot_wrench import foot_wrench
from pipeline.ground.gait_events import detect_events
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.records import SIDES
from pipeline.session.profile import foot_of
from tests.pipeline.conftest import MASS_KG


def wrenches_of(recording, profile, recipe):
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, recording.marker_labels)
    plates = plates_in_ground(recording, rotation)
    contacts = find_contacts(recording, plates, markers, profile, MASS_KG, recipe.ground_reactions)
    events = detect_events(recording, markers, profile, contacts, recipe.ground_reactions)
    wrenches = {
        side: foot_wrench(
            side,
            foot_of(profile, side),
            recording,
            plates,
            contacts,
            events,
            markers,
            recipe.ground_reactions,
        )
        for side in SIDES
    }
    return wrenches, events, plates
