"""One trial's files to one Recording: markers from a C3D or TRC file, and ground reactions beside them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.modelled_points import with_modelled_points
from pipeline.c3d.read_c3d import read_c3d, read_marker_labels
from pipeline.recordings.ground_forces import LOADED_SHARE, GroundForces, PointForce, read_ground_forces
from pipeline.recordings.text_file import unreadable
from pipeline.recordings.trc import read_trc, read_trc_labels
from pipeline.records import ForcePlate, Recording

# On a level floor the forces of a walk add up to an upward one: cosine of what they may be off an axis of the frame.
ALONG_AN_AXIS = 0.95
# The centre of pressure lies under a foot. No marker within this of it: the files have different frames or units.
NEAR_A_MARKER_M = 0.4
WALKED_M = 20.0
# A foot's free moment is friction across a foot: a torque of more than this times the force is in other units.
LARGEST_FREE_MOMENT_M = 0.3
# A body stands above where the ground pushes: cosine of what the mean of its markers may be off the vertical.
STANDING_COSINE = 0.8
# Samples that are compared with the markers.
_COMPARED = 200


def read_recording(path: Path, forces: Path | None = None, needed: Collection[str] = ()) -> Recording:
    """A trial's recording, whatever its files: TRC by its name's ending, anything else as C3D.

    `forces`: a file of ground reactions (.mot, .sto, or the ExternalLoads .xml that names one) in the frame of the
    markers, which goes before a C3D's own plates. `needed`: labels of which a point that the file calls modelled is
    taken for a marker, where it has no such marker. TrialRejected names the file, what was found and what to do.
    """
    if path.suffix.lower() in (".mot", ".sto"):
        raise unreadable(path.name, "is a table of motion or forces, expected markers (.c3d, .trc).")
    recording = read_trc(path) if path.suffix.lower() == ".trc" else with_modelled_points(read_c3d(path), needed)
    return recording if forces is None else with_ground_forces(recording, read_ground_forces(forces))


def labels_in(path: Path) -> tuple[str, ...]:
    """The labels of a recording's markers; frames aren't read. Raises as `read_recording`."""
    return read_trc_labels(path) if path.suffix.lower() == ".trc" else read_marker_labels(path)


def with_ground_forces(recording: Recording, forces: GroundForces) -> Recording:
    """The recording over the frames that the forces cover too, with reactions in the place of plates.

    TrialRejected if there are no such frames, or the forces' units, frame or sign can't be the markers'.
    """
    name = forces.path.name
    loaded = [each for each in forces.reactions if np.any(each.force_n)]
    idle = [each.name for each in forces.reactions if not np.any(each.force_n)]
    if not loaded:
        raise unreadable(name, "holds no force but zeros, expected a step. Export it again, or leave it out.")
    frames = _common_frames(recording, forces)
    ratio = max(1, round(forces.rate_hz / recording.point_rate_hz))
    rate_hz = ratio * recording.point_rate_hz
    time_s = recording.time_s[frames]
    at_s = time_s[0] + np.arange((len(time_s) - 1) * ratio + 1) / rate_hz
    normal = _normal(name, loaded)
    plates = tuple(_reaction(number, each, forces.time_s, at_s, normal) for number, each in enumerate(loaded, start=1))
    _refuse_other_units(name, plates)
    _refuse_other_frame(name, recording, frames, plates, ratio)
    warnings = [*recording.warnings, *forces.warnings]
    if idle:
        warnings.append(f"{name}: {', '.join(idle)} carries nothing, and is left out.")
    if len(time_s) < len(recording.time_s):
        warnings.append(
            f"{name} covers {forces.time_s[0]:.2f}-{forces.time_s[-1]:.2f} s of the markers' "
            f"{recording.time_s[0]:.2f}-{recording.time_s[-1]:.2f} s: only what both show is used."
        )
    if abs(rate_hz / forces.rate_hz - 1) > 1e-3:
        warnings.append(f"{name}: forces at {forces.rate_hz:g} Hz are interpolated to {rate_hz:g} Hz.")
    if recording.plates:
        warnings.append(f"{name} stands for the {len(recording.plates)} plates of {recording.path.name} itself.")
    if not all(plate.foot for plate in plates):
        warnings.append(f"{name} doesn't say where its plates end: a foot over an edge can't be told.")
    return replace(
        recording,
        time_s=time_s,
        markers_m=recording.markers_m[frames],
        # Other channels have another rate.
        analog_rate_hz=rate_hz,
        analog_labels=(),
        analog_units=(),
        analog=np.empty((len(at_s), 0)),
        plates=plates,
        model_outputs={
            label: replace(output, values=output.values[frames]) for label, output in recording.model_outputs.items()
        },
        warnings=tuple(warnings),
    )


def _common_frames(recording: Recording, forces: GroundForces) -> slice:
    """The frames that the forces cover. TrialRejected for fewer than two."""
    within = (recording.time_s > forces.time_s[0] - 0.5 / forces.rate_hz) & (
        recording.time_s < forces.time_s[-1] + 0.5 / forces.rate_hz
    )
    covered = np.flatnonzero(within)
    if len(covered) < 2:
        raise unreadable(
            forces.path.name,
            f"covers {forces.time_s[0]:g}-{forces.time_s[-1]:g} s, and {recording.path.name} "
            f"{recording.time_s[0]:g}-{recording.time_s[-1]:g} s, expected one time for both. Are they of one trial?",
        )
    return slice(int(covered[0]), int(covered[-1]) + 1)


def _normal(name: str, reactions: Sequence[PointForce]) -> np.ndarray:
    """The axis (3,) of the file's frame along which the ground pushes. TrialRejected if it is along none."""
    total = np.sum([each.force_n.sum(axis=0) for each in reactions], axis=0)
    axis = int(np.argmax(np.abs(total)))
    if abs(total[axis]) < ALONG_AN_AXIS * np.linalg.norm(total):
        raise unreadable(
            name,
            f"its forces add up along {np.round(total / np.linalg.norm(total), 2)}, expected one axis of the frame: on "
            "a level floor they are vertical together. Export forces in the frame of the markers.",
        )
    normal = np.zeros(3)
    normal[axis] = np.sign(total[axis])
    return normal


def _reaction(
    number: int, reaction: PointForce, from_s: np.ndarray, at_s: np.ndarray, normal: np.ndarray
) -> ForcePlate:
    """A reaction at the times `at_s`, its moment about a point of the floor.

    Force and moment are interpolated, not the point: at light loads it is anywhere.
    """
    vertical_n = reaction.force_n @ normal
    loaded = vertical_n > LOADED_SHARE * np.abs(vertical_n).max()
    origin_m = np.median(reaction.point_m[loaded], axis=0) if loaded.any() else np.zeros(3)
    wrench = np.hstack([reaction.force_n, reaction.moment_nm(origin_m)])
    at = np.column_stack([np.interp(at_s, from_s, column) for column in wrench.T])
    return ForcePlate(
        number=number,
        type=0,
        corners_m=np.full((4, 3), np.nan),
        origin_m=origin_m,
        normal=normal,
        force_n=at[:, :3],
        moment_nm=at[:, 3:],
        foot=reaction.foot,
        name=reaction.name,
    )


def _pressure(plate: ForcePlate) -> tuple[np.ndarray, np.ndarray]:
    """Centre of pressure (S, 3) and free moment (S,), NaN but where the plate is well loaded."""
    return centre_of_pressure(plate, max(1.0, LOADED_SHARE * float((plate.force_n @ plate.normal).max())))


def _refuse_other_units(name: str, plates: Sequence[ForcePlate]) -> None:
    for plate in plates:
        lever_m = np.abs(_pressure(plate)[1]) / np.abs(plate.force_n @ plate.normal)
        typical_m = float(np.median(lever_m[np.isfinite(lever_m)])) if np.isfinite(lever_m).any() else 0.0
        if typical_m > LARGEST_FREE_MOMENT_M:
            raise unreadable(
                name,
                f"the torque of {plate.name} about the vertical is {typical_m:.3g} m times its force, expected less "
                f"than {LARGEST_FREE_MOMENT_M:g}: it is friction under one foot. Is it in N·mm? Export N, m and N·m.",
            )


def _refuse_other_frame(
    name: str, recording: Recording, frames: slice, plates: Sequence[ForcePlate], ratio: int
) -> None:
    """TrialRejected if the ground pushes where no foot can be, or pushes the body down."""
    places = [_where_it_pushes(recording.markers_m[frames], plate, ratio) for plate in plates]
    places = [(cop_m, markers_m) for cop_m, markers_m in places if len(cop_m)]
    normal = plates[0].normal
    if not places or _fits(places, normal):
        return
    if _fits(places, -normal):
        raise unreadable(
            name,
            "its forces point from the body to the floor, expected the other way: external loads act on the body, and "
            "these are what the body does to the ground. Export them with the opposite sign.",
        )
    raise unreadable(
        name,
        f"the ground pushes {min(_nearest_m(*place) for place in places):.2f} m from the nearest marker of "
        f"{recording.path.name}, or at its side, expected it under a foot: frames or units differ, or they are of "
        f"two trials. {_what_would_fit(places, normal)}",
    )


def _where_it_pushes(markers_m: np.ndarray, plate: ForcePlate, ratio: int) -> tuple[np.ndarray, np.ndarray]:
    """Some centres of pressure (N, 3), and the markers (N, M, 3) of those frames."""
    cop_m = _pressure(plate)[0][::ratio]
    shown = np.isfinite(cop_m).all(axis=1) & np.isfinite(markers_m).all(axis=2).any(axis=1)
    chosen = np.flatnonzero(shown)
    chosen = chosen[:: max(1, len(chosen) // _COMPARED)]
    return cop_m[chosen], markers_m[chosen]


def _fits(places: Sequence[tuple[np.ndarray, np.ndarray]], normal: np.ndarray) -> bool:
    """Whether somewhere a marker is near where the ground pushes, and the body stands above it."""
    for cop_m, markers_m in places:
        standing = (np.nanmean(markers_m, axis=1) - cop_m).mean(axis=0)
        upright = standing @ normal > STANDING_COSINE * np.linalg.norm(standing)
        if upright and _nearest_m(cop_m, markers_m) < NEAR_A_MARKER_M:
            return True
    return False


def _nearest_m(cop_m: np.ndarray, markers_m: np.ndarray) -> float:
    """The median distance of a centre of pressure from the marker next to it."""
    return float(np.median(np.nanmin(np.linalg.norm(markers_m - cop_m[:, None], axis=2), axis=1)))


def _what_would_fit(places: Sequence[tuple[np.ndarray, np.ndarray]], normal: np.ndarray) -> str:
    """What would bring the forces under the feet: advice, never done unasked."""
    # Nobody walks so far off: metres of millimetres. Nearer, a thousandth of any point would be near the origin.
    is_far = min(_nearest_m(*place) for place in places) > WALKED_M
    unit, metres = ("millimetres", 1e-3) if is_far else ("metres", 1.0)
    fitting = []
    for order, signs in product(permutations(range(3)), product((1.0, -1.0), repeat=3)):
        turn = np.zeros((3, 3))
        turn[range(3), order] = signs
        turned = [(metres * cop_m @ turn.T, markers_m) for cop_m, markers_m in places]
        if np.linalg.det(turn) > 0 and _fits(turned, turn @ normal):
            words = (("" if sign > 0 else "-") + "xyz"[axis] for axis, sign in zip(order, signs, strict=True))
            off_dm = round(10 * float(np.mean([_nearest_m(*place) for place in turned])))
            fitting.append((off_dm, f"With points in {unit}, and ({', '.join(words)}) as (x, y, z), they would fit"))
    best = min(fitting, key=lambda found: found[0], default=(0, ""))[1]
    return f"{best}: export them so." if best else "Export both from one program, in one frame."
