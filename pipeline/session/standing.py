"""Which recordings of a folder show quiet standing, and which of these to take as the static trial."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.records import Recording
from pipeline.session.profile import Profile

# A span over which markers' noise (a fraction of a millimetre) is no speed to speak of.
SPEED_SPAN_S = 0.1
# Standing people sway at 0.01 m/s (centre of pressure: Prieto et al. 1996), and walk at 0.3 and more.
QUIET_SPEED_M_S = 0.1
# The rest of a static trial may be stepping into place.
QUIET_SHARE = 0.8
# The knee-alignment device's own markers, by Vicon's names: it covers the knee's marker while it is worn.
KNEE_DEVICE = ("KAX", "KD1", "KD2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenStatic:
    """The static trial to take, None if nobody stands; why this one, "" where there was no choice; and who else stands.

    What stands and isn't taken is no walk either.
    """

    name: str | None
    why: str = ""
    others: tuple[str, ...] = ()


def is_standing(recording: Recording, profile: Profile) -> bool:
    """Whether the pelvis and both feet are still in nearly all frames that show them.

    Speeds tell, not travel: whoever turns on the spot or walks on a treadmill stays in place too. One frame alone
    stands if it shows pelvis and feet, since some laboratories export an averaged static trial. A recording that shows
    the pelvis or a foot in no frame does not stand.
    """
    groups = [[label for label in labels if label in recording.marker_labels] for labels in _watched(profile)]
    if not all(groups):
        return False
    if len(recording.time_s) == 1:
        return all(np.isfinite([recording.marker(label) for label in labels]).any() for labels in groups)
    span = min(max(1, round(SPEED_SPAN_S * recording.point_rate_hz)), len(recording.time_s) - 1)
    speeds = np.stack([np.fmax.reduce([_speed_m_s(recording, label, span) for label in labels]) for labels in groups])
    seen = np.isfinite(speeds).all(axis=0)
    return bool(seen.any() and (speeds[:, seen].max(axis=0) < QUIET_SPEED_M_S).mean() >= QUIET_SHARE)


def shown_labels(recording: Recording) -> tuple[str, ...]:
    """The labels that a recording shows in a frame at least; one that is only listed says nothing."""
    seen = np.isfinite(recording.markers_m).all(axis=2).any(axis=0)
    return tuple(label for label, is_seen in zip(recording.marker_labels, seen, strict=True) if is_seen)


def choose_static(recordings: Mapping[str, Recording], profile: Profile) -> ChosenStatic:
    """The recording of quiet standing that shows most of the profile's markers, and then most markers at all.

    ValueError if several show equally many: only the laboratory knows which was meant.
    """
    standing = {name: item for name, item in recordings.items() if is_standing(item, profile)}
    if len(standing) < 2:
        return ChosenStatic(name=next(iter(standing), None))
    counts = {name: _shown(item, profile) for name, item in standing.items()}
    chosen, second = sorted(standing, key=lambda name: counts[name], reverse=True)[:2]
    if counts[chosen] == counts[second]:
        raise ValueError(
            f"expected one recording of quiet standing, found {', '.join(standing)}, which show equally many markers. "
            "Name the static trial with --static FILE."
        )
    others = tuple(name for name in standing if name != chosen)
    told = ", ".join(f"{name} shows {_in_words(counts[name], standing[name])}" for name in others)
    return ChosenStatic(name=chosen, why=f"shows {_in_words(counts[chosen], standing[chosen])}; {told}", others=others)


def _watched(profile: Profile) -> tuple[tuple[str, ...], ...]:
    """The labels that tell whether the pelvis, the right and the left foot move."""
    pelvis, right, left = profile.pelvis, profile.right_foot, profile.left_foot
    return (
        (pelvis.right_anterior, pelvis.left_anterior, *pelvis.posterior),
        right.labels,
        left.labels,
    )


def _speed_m_s(recording: Recording, label: str, span: int) -> np.ndarray:
    path = recording.marker(label)
    speed: np.ndarray = np.linalg.norm(path[span:] - path[:-span], axis=1) * recording.point_rate_hz / span
    return speed


def _shown(recording: Recording, profile: Profile) -> tuple[int, int, int]:
    """How many labels it shows at least once: of those that the profile requires, of all of the profile's, of any."""
    seen = set(shown_labels(recording))
    return len(seen & set(profile.required_labels)), len(seen & set(profile.markers)), len(seen)


def _in_words(count: tuple[int, int, int], recording: Recording) -> str:
    device = any(label[1:] in KNEE_DEVICE for label in recording.marker_labels if label[:1] in ("R", "L"))
    worn = " (knee-alignment device worn)" if device else ""
    return f"{count[1]} of the profile's markers and {count[2]} in all{worn}"
