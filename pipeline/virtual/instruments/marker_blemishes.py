"""What cameras and skin do to marker trajectories: noise, soft-tissue artefact, gaps, exchanged labels.

Shapes: T frames, M markers. Trajectories are in metres. Functions return what is to be added, or a changed copy.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.session.profile import Profile
from pipeline.signals import low_pass
from pipeline.virtual.instruments.blemishes import Blemishes, Mark
from pipeline.virtual.records import FootContact

M_PER_MM = 1e-3
# Skin moves at the stride's frequency and at twice that.
SKIN_HARMONICS = 2
# Noise is filtered from this long before the recording to this long after it, so that the filter settles.
FILTER_SETTLE_S = 2.0

_SKIN_OF = {
    "pelvis": "pelvis_skin_mm",
    "femur": "thigh_skin_mm",
    "tibia": "shank_skin_mm",
    "talus": "foot_skin_mm",
    "calcn": "foot_skin_mm",
    "toes": "foot_skin_mm",
    "torso": "trunk_skin_mm",
    "humerus": "arm_skin_mm",
    "radius": "arm_skin_mm",
    "ulna": "arm_skin_mm",
    "hand": "arm_skin_mm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Skin:
    """One subject's skin displacement over a gait cycle: Fourier coefficients (M, 3, 2 × harmonics), metres.

    `sides` is the leg whose cycle each marker follows: its own, or the right one for the middle of the body.
    """

    coefficients_m: np.ndarray
    sides: tuple[Side, ...]


def draw_skin(labels: Sequence[str], profile: Profile, settings: Blemishes, rng: np.random.Generator) -> Skin:
    """One subject's skin. ValueError if the profile has a marker on a body whose skin isn't known.

    Each marker's root mean square displacement is that of its segment in the settings. Half of the variance is common
    to the segment's markers and half is the marker's own: fluoroscopy finds a rigid and a local part of similar size
    (PMC8631460).
    """
    shape = (3, 2 * SKIN_HARMONICS)
    together: dict[str, np.ndarray] = {}
    coefficients, sides = [], []
    for label in labels:
        body = profile.markers[label].body
        if body not in together:
            together[body] = rng.standard_normal(shape)
        both = together[body] + rng.standard_normal(shape)
        # A sine and a cosine of amplitude a have a mean square of a²/2 each.
        rms = np.sqrt(np.sum(both**2) / 2)
        coefficients.append(both * (_skin_mm(body, settings) * M_PER_MM / rms))
        sides.append(_side_of(body))
    return Skin(coefficients_m=np.stack(coefficients), sides=tuple(sides))


def skin_displacement_m(skin: Skin, contacts: Sequence[FootContact], time_s: np.ndarray) -> np.ndarray:
    """The displacement (T, M, 3) in a walk, in phase with each leg's cycle; zero if the leg strikes less than twice."""
    displacement_m = np.zeros((len(time_s), len(skin.sides), 3))
    for side in SIDES:
        strikes_s = [contact.strike_s for contact in contacts if contact.side == side]
        # A contact that begins with the recording may have begun before it.
        strikes_s = [strike_s for strike_s in strikes_s if strike_s > time_s[0]]
        if len(strikes_s) < 2:
            continue
        cycles = _cycles(np.array(strikes_s), time_s)
        angles = 2 * np.pi * np.outer(cycles, np.arange(1, SKIN_HARMONICS + 1))
        waves = np.hstack([np.cos(angles), np.sin(angles)])
        own = [column for column, whose in enumerate(skin.sides) if whose == side]
        displacement_m[:, own] = np.einsum("th,mxh->tmx", waves, skin.coefficients_m[own])
    return displacement_m


def noise_m(shape: tuple[int, ...], rate_hz: float, settings: Blemishes, rng: np.random.Generator) -> np.ndarray:
    """The sum of white and slowly varying camera noise, (T, M, 3)."""
    noise = settings.marker_white_noise_mm * M_PER_MM * rng.standard_normal(shape)
    if settings.marker_slow_noise_mm > 0:
        settle = round(FILTER_SETTLE_S * rate_hz)
        white = rng.standard_normal((shape[0] + 2 * settle, *shape[1:]))
        slow = low_pass(white, rate_hz, settings.marker_slow_noise_hz)[settle:-settle]
        # The filter leaves 2 × cut-off / rate of white noise's variance.
        spread = np.sqrt(2 * settings.marker_slow_noise_hz / rate_hz)
        noise += settings.marker_slow_noise_mm * M_PER_MM / spread * slow
    return noise


def hide(
    markers_m: np.ndarray, labels: Sequence[str], rate_hz: float, settings: Blemishes, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[Mark, ...]]:
    """The trajectories with gaps (NaN), and a record of each."""
    shown, marks = markers_m.copy(), []
    for _ in range(int(rng.poisson(settings.gaps_per_trial))):
        column = int(rng.integers(len(labels)))
        first = int(rng.integers(len(markers_m)))
        frames = max(1, round(float(rng.exponential(settings.gap_s)) * rate_hz))
        frames = min(frames, len(markers_m) - first)
        shown[first : first + frames, column] = np.nan
        marks += [
            Mark(blemish="gap", of=labels[column], figure="start", value=first / rate_hz, unit="s"),
            Mark(blemish="gap", of=labels[column], figure="length", value=frames / rate_hz, unit="s"),
        ]
    return shown, tuple(marks)


def swap_labels(
    markers_m: np.ndarray,
    labels: Sequence[str],
    profile: Profile,
    rate_hz: float,
    settings: Blemishes,
    rng: np.random.Generator,
) -> tuple[np.ndarray, tuple[Mark, ...]]:
    """The trajectories, in some trials with two labels of one segment exchanged, and a record of that."""
    if rng.random() >= settings.swapped_labels_ratio:
        return markers_m, ()
    pairs = _pairs_of_a_segment(labels, profile)
    first, second = pairs[int(rng.integers(len(pairs)))]
    whole = rng.random() < 0.5
    start = 0 if whole else int(rng.integers(len(markers_m) // 2))
    swapped = markers_m.copy()
    swapped[start:, [first, second]] = swapped[start:, [second, first]]
    name = f"{labels[first]} and {labels[second]}"
    return swapped, (Mark(blemish="swapped_labels", of=name, figure="start", value=start / rate_hz, unit="s"),)


def noise_marks(settings: Blemishes) -> tuple[Mark, ...]:
    """Records of the blemishes that every trial of a laboratory has."""
    every: Mapping[str, tuple[str, str]] = {
        "marker_placement_mm": ("marker_placement", "SD"),
        "marker_white_noise_mm": ("marker_white_noise", "SD"),
        "marker_slow_noise_mm": ("marker_slow_noise", "SD"),
        **{setting: ("soft_tissue", "RMS") for setting in sorted(set(_SKIN_OF.values()))},
    }
    return tuple(
        Mark(
            blemish=blemish, of=setting.removesuffix("_mm"), figure=figure, value=getattr(settings, setting), unit="mm"
        )
        for setting, (blemish, figure) in every.items()
        if getattr(settings, setting) > 0
    )


def _cycles(strikes_s: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Gait cycles (T,) since the first strike; beyond the strikes the nearest stride is repeated."""
    before, after = strikes_s[1] - strikes_s[0], strikes_s[-1] - strikes_s[-2]
    many = np.arange(1, 1 + int(np.ceil((time_s[-1] - time_s[0]) / min(before, after))))
    known = np.concatenate([strikes_s[0] - many[::-1] * before, strikes_s, strikes_s[-1] + many * after])
    return np.interp(time_s, known, np.arange(len(known)) - float(len(many)))


def _skin_mm(body: str, settings: Blemishes) -> float:
    name = _SKIN_OF.get(body.removesuffix("_r").removesuffix("_l"))
    if name is None:
        raise ValueError(f"nothing is known of the skin over {body!r}; known are {', '.join(_SKIN_OF)}.")
    return float(getattr(settings, name))


def _side_of(body: str) -> Side:
    return "left" if body.endswith("_l") else "right"


def _pairs_of_a_segment(labels: Sequence[str], profile: Profile) -> list[tuple[int, int]]:
    columns: dict[str, list[int]] = defaultdict(list)
    for column, label in enumerate(labels):
        columns[profile.markers[label].body].append(column)
    return [pair for of_body in columns.values() for pair in combinations(of_body, 2)]
