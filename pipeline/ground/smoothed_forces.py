"""Whether the plates' forces were smoothed before they were exported, which makes strikes told by force too early."""

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.ground.contacts import GRAVITY_M_S2, PlateContact
from pipeline.records import ForcePlate, Recording
from pipeline.session.recipe import GroundReactionSettings

# A filter without lag swings below zero before a sudden load, for some 20 ms or longer in this time before the load
# passes the threshold.
DIP_WITHIN_S, DIP_LASTS_S = 0.1, 0.02
# One hospital's steps have 0.025 there, after smoothing; those of 33 other walks 0.000.
DIP_BODY_WEIGHTS = 0.01


def smoothing_warnings(
    recording: Recording,
    plates: Sequence[ForcePlate],
    contacts: Iterable[PlateContact],
    mass_kg: float,
    settings: GroundReactionSettings,
) -> list[str]:
    """A warning if the plates pull just before they are stepped on, in most steps."""
    by_number = {plate.number: plate.force_n[:, 1] for plate in plates}
    dips = [
        _dip_n(recording, by_number[contact.plate], contact.start_s, settings)
        for contact in contacts
        if contact.usable and contact.strikes
    ]
    seen = [dip for dip in dips if np.isfinite(dip)]
    dip = float(np.median(seen)) / (mass_kg * GRAVITY_M_S2) if seen else 0.0
    if dip > -DIP_BODY_WEIGHTS:
        return []
    return [
        f"the plates pull with {-dip:.1%} of body weight just before each strike, as smoothing before export makes "
        "them: their force rises too early, and so are the strikes that it tells, by some hundredths of a second. "
        "Export the plates unfiltered"
    ]


def _dip_n(recording: Recording, vertical_n: np.ndarray, start_s: float, settings: GroundReactionSettings) -> float:
    """The least force just before a load, less the plate's own zero, N; NaN if it isn't recorded unloaded there."""
    last = round((start_s - recording.time_s[0]) * recording.analog_rate_hz)
    first = last - round(DIP_WITHIN_S * recording.analog_rate_hz)
    before = vertical_n[max(first, 0) : last]
    if first < 0 or before.max() > settings.contact_threshold_n:
        return float("nan")
    lasting = np.ones(max(1, round(DIP_LASTS_S * recording.analog_rate_hz)))
    least_n = np.convolve(before, lasting / len(lasting), mode="valid").min()
    return float(least_n - np.median(vertical_n[vertical_n < settings.contact_threshold_n]))
