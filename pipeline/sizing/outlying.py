"""What of the evidence no body explains: frames in which a marker jumps, clusters that slipped after standing.

Shapes as in `posterior.py`.
"""

from dataclasses import replace

import numpy as np

from pipeline.records import BodyFigure
from pipeline.session.recipe import ScalingSettings
from pipeline.sizing.body_figures import EstimatedBody, errors_m
from pipeline.sizing.evidence import Gathered
from pipeline.sizing.posterior import likeliest

# How often what no body explains is looked for.
ROUNDS = 3
# What is wrong in a larger share of a marker's frames isn't a slip of the recording.
MOST_LEFT_OUT = 1 / 3


def off_sds(body: EstimatedBody, settings: ScalingSettings) -> np.ndarray:
    """How far markers lie from their places, (N, M), root mean square of the axes in standard deviations.

    Those of sway in standing and of soft tissue in walking; NaN where a marker wasn't seen, was left out or is a guide.
    """
    priors = [body.gathered.priors[label] for label in body.gathered.labels]
    soft_m = np.array([prior.soft_tissue_m for prior in priors])
    standing_m = np.array([prior.standing_sd_m(settings.standing_sd_m) for prior in priors])
    sd_m = np.where(body.gathered.standing[:, None], standing_m, soft_m)
    off: np.ndarray = errors_m(body) / (sd_m * np.sqrt(3.0))
    return off


def without_outliers(body: EstimatedBody, settings: ScalingSettings) -> Gathered:
    """Evidence without what no body explains: a gap that was filled badly, a marker that hung on clothes.

    In each walking frame the worst marker is left out if it is beyond `max_frame_sds`; the same evidence if none is.
    Standing markers all stay: one frame decides there, and `plausible` judges it.
    """
    gathered, evidence = body.gathered, body.gathered.evidence
    off = np.nan_to_num(off_sds(body, settings))
    worst = off.argmax(axis=1)
    frames = np.flatnonzero(~gathered.standing & (off.max(axis=1) > settings.max_frame_sds))
    if not len(frames):
        return gathered
    precision = evidence.precision.copy()
    precision[frames, worst[frames]] = 0.0
    return replace(gathered, evidence=replace(evidence, precision=precision, start=body.posterior.poses))


def without_slipped_clusters(
    body: EstimatedBody, settings: ScalingSettings
) -> tuple[EstimatedBody, tuple[BodyFigure, ...]]:
    """The body estimated again without the standing places of technical markers that walks have elsewhere.

    A strap that slips between the static trial and the walks takes its whole cluster along: the landmarks tell how the
    segment stands, the walks where the cluster is.
    """
    gathered = body.gathered
    technical = np.array([gathered.priors[label].technical for label in gathered.labels])
    off = np.nan_to_num(off_sds(body, settings)[gathered.standing])
    beyond = technical & (off > settings.max_marker_sds).any(axis=0)
    slipped = {
        body.profile.markers[label].body for label, is_off in zip(gathered.labels, beyond, strict=True) if is_off
    }
    columns = [
        column
        for column, label in enumerate(gathered.labels)
        if technical[column] and body.profile.markers[label].body in slipped
    ]
    if not columns:
        return body, ()
    precision = gathered.evidence.precision.copy()
    precision[np.ix_(np.flatnonzero(gathered.standing), np.array(columns))] = 0.0
    kept = replace(gathered, evidence=replace(gathered.evidence, precision=precision, start=body.posterior.poses))
    again = replace(body, gathered=kept, posterior=likeliest(kept.evidence))
    if not again.posterior.converged:
        return body, ()
    return again, tuple(
        BodyFigure(
            figure="standing_place_left_out",
            of=gathered.labels[column],
            value=float(1e3 * errors_m(body)[gathered.standing][0, column]),
            unit="mm",
            report_limit=0.0,
            advice=(
                "the marker is elsewhere on its segment in the static trial than in the walks, with the technical "
                "markers around it: its place is taken from the walks alone. Did a strap slip?"
            ),
        )
        for column in columns
    )


def without_outlying_frames(
    body: EstimatedBody, settings: ScalingSettings
) -> tuple[EstimatedBody, tuple[BodyFigure, ...]]:
    """The body estimated again without them, and a figure for each marker that was left out of some frames.

    The body as it was where that would take more than a third of a marker's frames: then the marker is elsewhere.
    """
    again = body
    for _ in range(ROUNDS):
        kept = without_outliers(again, settings)
        if kept is again.gathered:
            break
        again = replace(again, gathered=kept, posterior=likeliest(kept.evidence))
    shares = left_out(body.gathered, again.gathered)
    if max(shares.values(), default=0.0) > MOST_LEFT_OUT or not again.posterior.converged:
        return body, ()
    return again, tuple(
        BodyFigure(
            figure="share_of_frames_left_out",
            of=label,
            value=100 * share,
            unit="%",
            report_limit=0.0,
            advice=(
                "the marker is far from its place on the body in these frames of the walks that size it; look for a "
                "gap that was filled badly, or a marker that came off"
            ),
        )
        for label, share in shares.items()
    )


def left_out(before: Gathered, after: Gathered) -> dict[str, float]:
    """The share of a marker's walking frames that were seen before and are left out after, of those that have any."""
    n_markers, walking = len(before.labels), ~before.standing
    seen = [gathered.evidence.precision[walking, :n_markers, 0] > 0 for gathered in (before, after)]
    shares = (seen[0] & ~seen[1]).sum(axis=0) / np.maximum(seen[0].sum(axis=0), 1)
    return {label: float(share) for label, share in zip(before.labels, shares, strict=True) if share > 0}
