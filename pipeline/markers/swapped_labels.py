"""Two exchanged labels of one segment: detected by the segment's shape, corrected and reported.

When a walker's jugular notch and xiphoid are exchanged, their distances to the torso's other markers are wrong by
centimetres, and right again once the labels are exchanged back.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np

from pipeline.records import Markers
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings

# Two labels of a segment that may be exchanged, and two that tell.
FEWEST_LABELS = 4


def fix_swaps(
    markers: Markers, reference_m: Mapping[str, np.ndarray], profile: Profile, settings: ScalingSettings
) -> tuple[Markers, tuple[str, ...]]:
    """The markers with exchanged labels corrected, and one sentence for each corrected pair.

    `reference_m` gives the segments' shapes, label -> (3,): the static pose, or places on the model. Each segment is
    scaled before it is compared, so its size doesn't matter.
    """
    warnings = []
    for labels in _segments(markers, reference_m, profile).values():
        measured, expected = _distances(markers, labels), _reference_distances(reference_m, labels)
        scale = np.nanmedian(measured[expected > 0] / expected[expected > 0])
        for first, second in combinations(range(len(labels)), 2):
            before = _misfit_m(measured, scale * expected, first, second)
            if before <= settings.min_swap_misfit_m:
                continue
            exchanged = _exchanged(measured, first, second)
            after = _misfit_m(exchanged, scale * expected, first, second)
            if after < settings.max_swap_remainder * before:
                markers = _with_labels_exchanged(markers, labels[first], labels[second])
                measured = exchanged
                warnings.append(
                    f"{labels[first]} and {labels[second]} were exchanged: their distances to the segment's other "
                    f"markers are {before * 1e3:.0f} mm off as labelled, {after * 1e3:.0f} mm exchanged; put right"
                )
    return markers, tuple(warnings)


def model_places(profile: Profile) -> dict[str, np.ndarray]:
    """Every label's place on the unscaled model, in its own body's frame."""
    return {label: np.array(marker.location_m) for label, marker in profile.markers.items()}


def _segments(markers: Markers, reference_m: Mapping[str, np.ndarray], profile: Profile) -> dict[str, list[str]]:
    """Labels by body, where enough are known to tell an exchange."""
    labels_of: dict[str, list[str]] = defaultdict(list)
    for label in markers.labels:
        seen = np.isfinite(markers.marker(label)).all(axis=1).any()
        if seen and label in reference_m and profile.markers[label].static_weight > 0:
            labels_of[profile.markers[label].body].append(label)
    return {body: labels for body, labels in labels_of.items() if len(labels) >= FEWEST_LABELS}


def _distances(markers: Markers, labels: list[str]) -> np.ndarray:
    places, distances = np.stack([markers.marker(label) for label in labels], axis=1), np.zeros((len(labels),) * 2)
    one, other = np.triu_indices(len(labels), 1)
    apart = np.nanmedian(np.linalg.norm(places[:, one] - places[:, other], axis=2), axis=0)
    distances[one, other] = distances[other, one] = apart
    return distances


def _reference_distances(reference_m: Mapping[str, np.ndarray], labels: list[str]) -> np.ndarray:
    places = np.stack([reference_m[label] for label in labels])
    return np.linalg.norm(places[:, None] - places[None], axis=2)


def _misfit_m(measured: np.ndarray, expected: np.ndarray, first: int, second: int) -> float:
    """Root mean square error of the distances between this pair and the segment's other markers."""
    others = [index for index in range(len(measured)) if index not in (first, second)]
    error = (measured - expected)[[first, second]][:, others]
    return float(np.sqrt(np.nanmean(error**2)))


def _exchanged(distances: np.ndarray, first: int, second: int) -> np.ndarray:
    order = np.arange(len(distances))
    order[[first, second]] = second, first
    return distances[np.ix_(order, order)]


def _with_labels_exchanged(markers: Markers, first: str, second: str) -> Markers:
    positions = markers.positions_m.copy()
    columns = [markers.labels.index(first), markers.labels.index(second)]
    positions[:, columns] = positions[:, columns[::-1]]
    return replace(markers, positions_m=positions)
