"""Signs of bad input to sizing: a static trial that moves or crouches, another height, markers exchanged or elsewhere.

`body_figures.py` judges whether the estimated body can be right; here each figure tells a fault of the input by name.
Limits are in the recipe's [scaling] section, chosen so that nobody of eighteen recorded people comes near one
(`benchmarks/doctored_bodies.py` prints how many faults each tells). Shapes as in `posterior.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.markers.static_trial import StaticTrial, averaged_window
from pipeline.mechanics.bodies.poses import body_places
from pipeline.records import SIDES, BodyFigure, Recording
from pipeline.session.profile import Profile, ProfileMarker, foot_of
from pipeline.session.recipe import ScalingSettings
from pipeline.session.session import Subject
from pipeline.sizing.body_figures import EstimatedBody, errors_m
from pipeline.sizing.evidence import Gathered
from pipeline.sizing.posterior import likeliest
from pipeline.sizing.scaled_tree import scaled_tree

NAN = float("nan")
# How high a person is over the marker on the seventh cervical process: of somebody as tall as the model, and with which
# power of the height it grows: children's heads are nearly as large as adults'. Ours, after the eighteen people; ANSUR
# II (Gordon et al. 2014) has 0.24 m, its adults standing erect.
OVER_CERVICAL_M, OVER_CERVICAL_AT_M, OVER_CERVICAL_POWER = 0.255, 1.70, 0.4
# Heights are given in whole centimetres.
HEIGHT_ROUNDED_MM = 5.0
# How far a right marker must be on the left to be called so: feet may be together.
CROSSED_M = 0.02
# How high the lateral malleolus is over the floor, as a share of height: 62.7 +- 5.1 of 1628.5 mm in women, 72.9 +- 5.7
# of 1756.2 in men (ANSUR II: Gordon et al. 2014, Natick/TR-15/007).
MALLEOLUS_OF_HEIGHT = {"F": 0.0385, "M": 0.0415, None: 0.0400}
# How high the centre of a heel's marker is over the floor.
HEEL_M = 0.021
# Bodies that hang from the shoulder, which the model doesn't move.
ARMS = ("humerus", "ulna", "radius", "hand")
# How often what no body explains is looked for.
ROUNDS = 3
# What is wrong in a larger share of a marker's frames isn't a slip of the recording.
MOST_LEFT_OUT = 1 / 3
# Two markers as near to each other as this can't be told apart by their places.
NEAR_M = 0.03


def standing_signs(
    static: StaticTrial, profile: Profile, subject: Subject, settings: ScalingSettings
) -> tuple[BodyFigure, ...]:
    """What makes an estimate pointless: a static trial that moves, sides exchanged, a height that no prior knows.

    Marker pairs size somebody of any height.
    """
    stated = tuple(_stated_height(subject, settings)) if settings.method == "posterior" else ()
    if not static.stands:
        return stated
    pose = static.pose
    at = {label: pose.marker(label)[0] for label in pose.labels if np.isfinite(pose.marker(label)).all()}
    return (
        *standing_travel(static.recording, profile, settings),
        *stated,
        *_crossed(at, profile),
    )


def plausible(body: EstimatedBody, subject: Subject, settings: ScalingSettings) -> tuple[BodyFigure, ...]:
    """What an estimate says of its own input: posture and height in standing, markers exchanged or elsewhere.

    The most telling first; a figure that nothing tells is left out.
    """
    at = _standing(body)
    knees = tuple(_knees(body, settings))
    # Who crouches stands lower than tall, and perhaps on the toes.
    upright = not any(knee.value > settings.report_standing_knee_deg for knee in knees)
    return (
        *_exchanged(body, settings),
        *knees,
        *feet_in_standing(at, body.profile, settings),
        *(malleoli_in_standing(at, body.profile, subject, settings) if upright else ()),
        *(height_by_neck(at, body.profile, subject, settings) if upright else ()),
        *_outliers(body, settings),
        *_not_posed(body),
        *_sides(body, settings),
    )


def _standing(body: EstimatedBody) -> dict[str, np.ndarray]:
    """Where markers were while the person stood, (3,); {} without a static trial."""
    evidence, labels = body.gathered.evidence, body.gathered.labels
    return {
        label: evidence.measured_m[number, column]
        for number in np.flatnonzero(body.gathered.standing)[:1]
        for column, label in enumerate(labels)
        if evidence.precision[number, column, 0] > 0
    }


def standing_travel(recording: Recording, profile: Profile, settings: ScalingSettings) -> tuple[BodyFigure, ...]:
    """How far the pelvis, and the marker that went furthest, travel while the static trial is averaged.

    Arms' guides may move. Nothing is known of a trial of one frame: NaN, without a limit.
    """
    labels = [label for label in recording.marker_labels if label in profile.markers]
    labels = [label for label in labels if not profile.markers[label].guide]
    if not labels:
        return ()
    frames = averaged_window(len(recording.time_s), recording.point_rate_hz, settings)
    window = np.stack([recording.marker(label)[frames] for label in labels])
    travel_m = dict(zip(labels, _travel_m(window), strict=True))
    pelvis = [travel_m[label] for label in travel_m if profile.markers[label].body == "pelvis"]
    known = {label: value for label, value in travel_m.items() if np.isfinite(value)}
    furthest = max(known, key=lambda label: known[label], default="")
    limit = settings.max_standing_travel_m * 1e3 if window.shape[1] > 1 else NAN
    return (
        BodyFigure(
            figure="standing_travel",
            of="pelvis",
            value=float(np.nanmedian(pelvis)) * 1e3 if np.isfinite(pelvis).any() else NAN,
            unit="mm",
            limit=limit if np.isfinite(pelvis).any() else NAN,
            advice=(
                f"{recording.path.name} is not quiet while its middle {settings.static_window_s:g} s are averaged: "
                "choose a trial of quiet standing as `static`; is it a walk?"
            ),
        ),
        BodyFigure(
            figure="standing_travel",
            of=furthest,
            value=known[furthest] * 1e3 if known else NAN,
            unit="mm",
            limit=limit if known else NAN,
            advice=(
                f"{recording.path.name} is not quiet while its middle {settings.static_window_s:g} s are averaged: "
                f"look whether the person moved, or whether {furthest} jumps"
            ),
        ),
    )


def _travel_m(window: np.ndarray) -> np.ndarray:
    """How far each marker's places (M, T, 3) spread, (M,); NaN unless it was seen in two frames."""
    seen = np.isfinite(window).all(axis=2, keepdims=True)
    high = np.where(seen, window, -np.inf).max(axis=1)
    low = np.where(seen, window, np.inf).min(axis=1)
    twice = seen.sum(axis=(1, 2)) > 1
    spread = np.where(twice[:, None], high, 0.0) - np.where(twice[:, None], low, 0.0)
    travel: np.ndarray = np.where(twice, np.linalg.norm(spread, axis=1), np.nan)
    return travel


def cervical_height_m(height_m: float) -> float:
    """How high over the floor a standing person of this height has the marker on the seventh cervical process."""
    return height_m - OVER_CERVICAL_M * (height_m / OVER_CERVICAL_AT_M) ** OVER_CERVICAL_POWER


def height_of_cervical_m(cervical_m: float) -> float:
    """How tall somebody is whose seventh cervical process stands so high: the inverse."""
    height_m = cervical_m
    for _ in range(50):
        height_m += cervical_m - cervical_height_m(height_m)
    return height_m


def _stated_height(subject: Subject, settings: ScalingSettings) -> Iterator[BodyFigure]:
    low, high = settings.min_sized_height_m, settings.max_sized_height_m
    yield BodyFigure(
        figure="height_outside_prior",
        of="subject",
        value=(min(subject.height_m - low, 0.0) + max(subject.height_m - high, 0.0)) * 1e3,
        unit="mm",
        limit=HEIGHT_ROUNDED_MM,
        advice=(
            f"height_m in session.toml is {subject.height_m:g}, and proportions are known of people of {low:g} to "
            f"{high:g} m: compare it with the person; small children are built otherwise than adults"
        ),
    )


def _crossed(at: Mapping[str, np.ndarray], profile: Profile) -> Iterator[BodyFigure]:
    """How far a marker of the right stands on the left of its left fellow, seen the way the feet point, at most."""
    forward = _feet_forward(at, profile)
    if forward is None:
        return
    rightward = np.cross(forward, (0.0, 1.0, 0.0))
    leftward_m = {
        (right, left): float((at[left] - at[right]) @ rightward) for right, left in _mirrored(profile, list(at))
    }
    crossed = sorted(
        (pair for pair, by_m in leftward_m.items() if by_m > CROSSED_M), key=lambda pair: -leftward_m[pair]
    )
    yield BodyFigure(
        figure="sides_crossed",
        of="; ".join(f"{right} and {left}" for right, left in crossed[:4]) or "standing",
        value=max(0.0, *leftward_m.values()) * 1e3 if leftward_m else 0.0,
        unit="mm",
        limit=CROSSED_M * 1e3,
        advice=(
            "in the static trial the right one of these markers is on the left, as the feet point: look whether labels "
            "are exchanged, right and left, or a heel and a toe"
        ),
    )


def _feet_forward(at: Mapping[str, np.ndarray], profile: Profile) -> np.ndarray | None:
    """Where both feet together point, level, a unit vector, whichever is called the right one. None if not seen."""
    feet = [foot_of(profile, side) for side in SIDES]
    if not all(set(foot.labels) <= set(at) for foot in feet):
        return None
    along: np.ndarray = sum((_middle(at, foot.toe) - _middle(at, foot.heel) for foot in feet), np.zeros(3)) * (
        1.0,
        0.0,
        1.0,
    )
    return along / np.linalg.norm(along)


def _middle(at: Mapping[str, np.ndarray], labels: Sequence[str]) -> np.ndarray:
    middle_m: np.ndarray = np.mean([at[label] for label in labels], axis=0)
    return middle_m


def feet_in_standing(at: Mapping[str, np.ndarray], profile: Profile, settings: ScalingSettings) -> Iterator[BodyFigure]:
    """How much higher one foot stands than the other, and how far ahead of it, by markers' places in standing (3,)."""
    forward = _feet_forward(at, profile)
    if forward is None:
        return
    right, left = (foot_of(profile, side) for side in SIDES)
    apart = [_middle(at, right.heel) - _middle(at, left.heel), _middle(at, right.toe) - _middle(at, left.toe)]
    higher = max((float(each[1]) for each in apart), key=abs)
    yield BodyFigure(
        figure="foot_height",
        of="right less left",
        value=higher * 1e3,
        unit="mm",
        limit=settings.max_foot_lift_m * 1e3,
        advice=(
            f"the {'right' if higher > 0 else 'left'} foot is off the ground in the static trial, or its markers are "
            "elsewhere: look at both"
        ),
    )
    yield BodyFigure(
        figure="foot_ahead",
        of="right less left",
        value=float(sum(apart, np.zeros(3)) @ forward / 2) * 1e3,
        unit="mm",
        limit=settings.max_standing_step_m * 1e3,
        advice="one foot is ahead of the other in the static trial: is it a frame of a walk? Choose one of standing",
    )


def malleoli_in_standing(
    at: Mapping[str, np.ndarray], profile: Profile, subject: Subject, settings: ScalingSettings
) -> Iterator[BodyFigure]:
    """How much higher over the floor than people's each lateral malleolus stands, over the lower heel.

    A marker that is too far up in all recordings fits everywhere: the shank is short, and nothing else gives it away.
    """
    floor_m = [float(place[1]) - HEEL_M for label, place in at.items() if profile.markers[label].landmark == "heel"]
    for label in at if floor_m else ():
        if profile.markers[label].landmark == "lateral_malleolus":
            height_m = float(at[label][1]) - min(floor_m)
            usual_m = MALLEOLUS_OF_HEIGHT[subject.sex] * subject.height_m
            yield BodyFigure(
                figure="malleolus_height",
                of=label,
                value=(height_m - usual_m) * 1e3,
                unit="mm",
                limit=settings.max_malleolus_height_difference_m * 1e3,
                advice=(
                    f"{label} stands {1e3 * height_m:.0f} mm over the floor, as malleoli of somebody this tall do at "
                    f"{1e3 * usual_m:.0f}: look whether it is on the malleolus, and both feet are on the ground"
                ),
            )


def height_by_neck(
    at: Mapping[str, np.ndarray], profile: Profile, subject: Subject, settings: ScalingSettings
) -> Iterator[BodyFigure]:
    """The stated height against the neck's over the floor: over the lower heel, so that shoes don't matter."""
    neck = [label for label in at if profile.markers[label].landmark == "c7"]
    heels = [float(at[label][1]) for label in at if profile.markers[label].landmark == "heel"]
    if not neck or not heels:
        return
    over_floor_m = float(at[neck[0]][1]) - min(heels) + HEEL_M
    of_m = height_of_cervical_m(over_floor_m)
    yield BodyFigure(
        figure="height_by_neck",
        of=neck[0],
        value=(of_m - subject.height_m) * 1e3,
        unit="mm",
        limit=settings.max_height_difference_m * 1e3,
        advice=(
            f"{neck[0]} stands {over_floor_m:.2f} m over the floor, as of somebody {of_m:.2f} m tall, and height_m is "
            f"{subject.height_m:g}: compare it in session.toml with the person, and look whether they stood upright"
        ),
    )


def _knees(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    for name in ("knee_angle_r", "knee_angle_l"):
        if name in body.shared.names and body.gathered.standing.any():
            bent = body.posterior.poses[body.gathered.standing, body.shared.names.index(name)].mean()
            yield BodyFigure(
                figure="standing_knee",
                of=name,
                value=float(np.degrees(bent)),
                unit="degree",
                # A knee that is bent backwards is no crouch.
                report_limit=settings.report_standing_knee_deg if bent > 0 else NAN,
                limit=settings.max_standing_knee_deg if bent > 0 else NAN,
                advice=(
                    "the knees are bent in the static trial: choose another of upright standing, if the person can "
                    "stand so"
                ),
            )


def _exchanged(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    """The two markers that would most gain by having each other's names: their error over what it would be then.

    Errors are from where markers should be on these bones, since the estimate moves their places towards what it sees.
    """
    gathered = body.gathered
    measured, expected = gathered.evidence.measured_m[:, : len(gathered.labels)], _expected_m(body)
    judged = np.isfinite(errors_m(body)) & [_told_apart(body, label) for label in gathered.labels]
    for name, frames in (("standing", gathered.standing), ("walking", ~gathered.standing)):
        found = Pair(ratio=0.0, of="")
        for first, second in combinations(range(len(gathered.labels)), 2):
            both = frames & judged[:, first] & judged[:, second]
            if both.any():
                pair = [first, second]
                ratio = exchange_ratio(measured[both][:, pair], expected[both][:, pair])
                if ratio > found.ratio:
                    found = Pair(ratio=ratio, of=f"{gathered.labels[first]} and {gathered.labels[second]}, {name}")
        if found.of:
            yield BodyFigure(
                figure="exchanged_markers",
                of=found.of,
                value=found.ratio,
                unit="of the error when exchanged",
                limit=settings.max_exchange_ratio,
                advice="these two markers are nearer to each other's places: look whether their labels are exchanged",
            )


def _told_apart(body: EstimatedBody, label: str) -> bool:
    """Whether a marker's place is known well enough to tell it from another: arms hang as they like."""
    arm = body.profile.markers[label].body.startswith(ARMS)
    return not arm and not body.gathered.priors[label].technical


def _expected_m(body: EstimatedBody) -> np.ndarray:
    """Where markers would be, (N, M, 3), if they were where the profile says on the estimated bones."""
    evidence, posterior = body.gathered.evidence, body.posterior
    n_markers = len(body.gathered.labels)
    factors = evidence.factors(posterior.shape)
    rotation, _ = body_places(scaled_tree(evidence.tree, factors), posterior.poses)
    offsets = posterior.shape[len(body.prior.names) :].reshape(-1, 3)
    moved = np.einsum("nmij,mj->nmi", rotation[:, evidence.body[:n_markers]], offsets)
    expected: np.ndarray = posterior.points_m[:, :n_markers] - moved
    return expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two markers, and their error over what it would be if they were exchanged."""

    ratio: float
    of: str


def exchange_ratio(measured: np.ndarray, expected: np.ndarray) -> float:
    """Root mean square error of two markers (T, 2, 3) over what it would be with their labels exchanged."""
    apart = np.linalg.norm(expected[:, 0] - expected[:, 1], axis=1).mean()
    if apart < NEAR_M:
        return 0.0
    now = ((measured - expected) ** 2).sum()
    exchanged = ((measured[:, ::-1] - expected) ** 2).sum()
    return float(np.sqrt(now / exchanged)) if exchanged > 0 else float("inf")


def _sides(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    """The landmark whose markers lie most otherwise on the left than on the right."""
    labels = body.gathered.labels
    offsets = body.posterior.shape[len(body.prior.names) :].reshape(-1, 3)
    covariance = body.gathered.place_covariance.reshape(len(labels), 3, len(labels), 3)
    mirrored, axes = np.array([1.0, 1.0, -1.0]), np.arange(3)
    apart: dict[str, float] = {}
    for right, left in _mirrored(body.profile, labels):
        r, k = labels.index(right), labels.index(left)
        between = offsets[r] - offsets[k] * mirrored
        variance = covariance[r, axes, r, axes] + covariance[k, axes, k, axes]
        variance -= 2 * mirrored * covariance[r, axes, k, axes]
        apart[f"{right} and {left}"] = float(np.sqrt(np.mean(between**2 / variance)))
    if apart:
        worst = max(apart, key=lambda pair: apart[pair])
        yield BodyFigure(
            figure="left_from_right",
            of=worst,
            value=apart[worst],
            unit="standard deviations",
            limit=settings.max_side_sds,
            advice="one of these two markers is on another place than the profile says: look at both",
        )


def _mirrored(profile: Profile, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Labels of one landmark on the right and the left side."""
    markers = profile.markers
    known = [label for label in labels if markers[label].landmark and not markers[label].guide]
    for right in known:
        for left in known:
            two = markers[right].landmark == markers[left].landmark and left != right
            if two and _rightness(markers[right]) > 0 > _rightness(markers[left]):
                yield right, left


def _rightness(marker: ProfileMarker) -> float:
    """Above zero on the right, below on the left."""
    if marker.body.endswith(("_r", "_l")):
        return 1.0 if marker.body.endswith("_r") else -1.0
    return marker.location_m[2]


def _outliers(body: EstimatedBody, settings: ScalingSettings) -> Iterator[BodyFigure]:
    """The marker that the body fits worst, standing and walking."""
    off = off_sds(body, settings)
    for name, frames in (("standing", body.gathered.standing), ("walking", ~body.gathered.standing)):
        seen = np.isfinite(off[frames])
        if not seen.any():
            continue
        squares = np.where(seen, off[frames], 0.0) ** 2
        rms = np.sqrt(squares.sum(axis=0) / np.maximum(seen.sum(axis=0), 1))
        worst = int(np.argmax(rms))
        yield BodyFigure(
            figure="marker_off",
            of=f"{body.gathered.labels[worst]}, {name}",
            value=float(rms[worst]),
            unit="standard deviations",
            limit=settings.max_marker_sds,
            advice="look whether this marker was moved, jumps, or is on another place than the profile says",
        )


def _not_posed(body: EstimatedBody) -> Iterator[BodyFigure]:
    if body.gathered.frames_left_out:
        yield BodyFigure(
            figure="frames_not_posed",
            of="walking",
            value=float(body.gathered.frames_left_out),
            unit="frames",
            report_limit=0.0,
            advice="no pose fits their markers and they size nothing: look for markers that are exchanged or jump",
        )


def off_sds(body: EstimatedBody, settings: ScalingSettings) -> np.ndarray:
    """How far markers lie from their places, (N, M), root mean square of the axes in standard deviations.

    Those of sway in standing and of soft tissue in walking; NaN where a marker wasn't seen, was left out or is a guide.
    """
    soft_m = np.array([body.gathered.priors[label].soft_tissue_m for label in body.gathered.labels])
    sd_m = np.where(body.gathered.standing[:, None], settings.standing_sd_m, soft_m)
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
