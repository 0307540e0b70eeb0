"""What the steps of the chain hand to each other: checked, frozen, in SI units.

Shapes: T marker frames, S analog samples, M markers, C analog channels, Q coordinates, U muscles, J joints.
NaN means "not measured", never zero.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np

Sex = Literal["F", "M"]
Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")


def _middle(places_m: Iterable[np.ndarray]) -> np.ndarray:
    middle_m: np.ndarray = np.mean(list(places_m), axis=0)
    return middle_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A gait event, in the recording's own time base (the time of frame n is (n - 1) / rate)."""

    kind: Literal["foot_strike", "foot_off", "other"]
    side: Literal["right", "left", "general"]
    time_s: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcePlate:
    """One plate's geometry and the wrench it measured, in the laboratory's frame, on the body.

    corners_m (4, 3) in the file's order. force_n (S, 3), moment_nm (S, 3) about the plate's true
    origin `origin_m` (3,), a point in the laboratory's frame. `normal` (3,) is the unit vector out of
    the floor, towards the body. Sampled at the recording's analog rate.

    A file of ground reactions (.mot) doesn't say where plates end: type 0, corners_m NaN, and `origin_m` on the floor.
    `foot` is whose reaction it is, where the file says so; `name` is what its columns have in common.
    """

    number: int
    type: int
    corners_m: np.ndarray
    origin_m: np.ndarray
    normal: np.ndarray
    force_n: np.ndarray
    moment_nm: np.ndarray
    foot: Side | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.corners_m.shape != (4, 3) or self.force_n.shape != self.moment_nm.shape:
            raise ValueError(
                f"force plate {self.number}: corners {self.corners_m.shape} must be (4, 3), and force "
                f"{self.force_n.shape} and moment {self.moment_nm.shape} of one shape (S, 3)."
            )

    @property
    def has_edges(self) -> bool:
        """Whether it is known where the surface ends."""
        return bool(np.isfinite(self.corners_m).all())

    @property
    def surface_m(self) -> np.ndarray:
        """A point of the surface (3,): its centre, or `origin_m` where its corners are not known."""
        centre: np.ndarray = self.corners_m.mean(axis=0) if self.has_edges else self.origin_m
        return centre


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectBlock:
    """What a C3D says about its subject. Names and birth dates are never read into it.

    `fingerprint` is a short hash of the name block: it tells two people's files apart without naming them.
    """

    mass_kg: float | None = None
    height_m: float | None = None
    sex: Sex | None = None
    age_y: float | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """A quantity the laboratory's software computed (Plug-in Gait's angles, moments, powers), (T, 3)."""

    label: str
    kind: Literal["angle", "moment", "force", "power", "scalar", "modelled_marker"]
    unit: str
    values: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What one file, or a pair of them, says of one trial, in the laboratory's frame and SI units.

    time_s (T,); markers_m (T, M, 3), NaN where a marker was not seen; analog (S, C) calibrated, in
    `analog_units`, sampled at `analog_rate_hz` (a whole multiple of `point_rate_hz`) from time_s[0].
    `plates` may come from a file of ground reactions beside the markers'.
    """

    path: Path
    time_s: np.ndarray
    point_rate_hz: float
    marker_labels: tuple[str, ...]
    markers_m: np.ndarray
    analog_rate_hz: float
    analog_labels: tuple[str, ...]
    analog_units: tuple[str, ...]
    analog: np.ndarray
    plates: tuple[ForcePlate, ...]
    events: tuple[Event, ...]
    subject: SubjectBlock
    model_outputs: Mapping[str, ModelOutput] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reader: Literal["c3d", "trc", "mot"] = "c3d"

    def __post_init__(self) -> None:
        expected = (len(self.time_s), len(self.marker_labels), 3)
        if self.markers_m.shape != expected:
            raise ValueError(f"{self.path.name}: markers have shape {self.markers_m.shape}, expected {expected}.")
        if len(set(self.marker_labels)) != len(self.marker_labels):
            raise ValueError(f"{self.path.name}: marker labels are not unique: {self.marker_labels}.")

    def marker(self, label: str) -> np.ndarray:
        """One marker's positions, (T, 3) in metres; KeyError if the file lacks it."""
        try:
            return self.markers_m[:, self.marker_labels.index(label)]
        except ValueError:
            raise KeyError(label) from None

    def middle(self, labels: Sequence[str]) -> np.ndarray:
        """The middle of some markers, (T, 3) in metres, NaN where one isn't seen; KeyError if the file lacks one."""
        return _middle(self.marker(label) for label in labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """Marker trajectories in the ground frame (x forward, y up, z right): positions_m (T, M, 3), NaN if missing."""

    time_s: np.ndarray
    rate_hz: float
    labels: tuple[str, ...]
    positions_m: np.ndarray

    def __post_init__(self) -> None:
        expected = (len(self.time_s), len(self.labels), 3)
        if self.positions_m.shape != expected:
            raise ValueError(f"marker positions have shape {self.positions_m.shape}, expected {expected}.")

    def marker(self, label: str) -> np.ndarray:
        """One marker's positions, (T, 3) in metres; KeyError if it is not there."""
        try:
            return self.positions_m[:, self.labels.index(label)]
        except ValueError:
            raise KeyError(label) from None

    def middle(self, labels: Sequence[str]) -> np.ndarray:
        """The middle of some markers, (T, 3) in metres, NaN where one isn't seen; KeyError if one is not there."""
        return _middle(self.marker(label) for label in labels)

    def cut(self, frames: slice) -> "Markers":
        """The same, over some of the frames only."""
        return replace(
            self,
            time_s=self.time_s[frames],
            positions_m=self.positions_m[frames],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FootWrench:
    """The ground's action on one foot at each marker frame, in the ground frame.

    force_n (T, 3) and moment_nm (T, 3) about `point_m` (3,), a fixed point on the floor: finite
    everywhere and zero in swing, so that no centre of pressure has to be divided out near zero load.
    cop_m (T, 3) and free_moment_nm (T,) are NaN where the vertical force is under the contact threshold.
    known (T,) says whether the wrench is all that acts on this foot in this frame; where it is not,
    `reason` (T,) says why in a few words ("" where known) and the frame carries no targets of this leg.
    """

    side: Side
    time_s: np.ndarray
    point_m: np.ndarray
    force_n: np.ndarray
    moment_nm: np.ndarray
    cop_m: np.ndarray
    free_moment_nm: np.ndarray
    known: np.ndarray
    reason: np.ndarray

    def cut(self, frames: slice | np.ndarray) -> "FootWrench":
        """The same, over some of the frames only."""
        return replace(
            self,
            time_s=self.time_s[frames],
            force_n=self.force_n[frames],
            moment_nm=self.moment_nm[frames],
            cop_m=self.cop_m[frames],
            free_moment_nm=self.free_moment_nm[frames],
            known=self.known[frames],
            reason=self.reason[frames],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerCoordinate:
    """One value of each generalized coordinate over time: values (T, Q); `rotational` (Q,) says which are angles."""

    time_s: np.ndarray
    names: tuple[str, ...]
    rotational: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.time_s), len(self.names)) or len(self.rotational) != len(self.names):
            raise ValueError(
                f"values have shape {self.values.shape} and {len(self.rotational)} kinds, expected "
                f"{(len(self.time_s), len(self.names))} for {len(self.time_s)} frames of {len(self.names)} coordinates."
            )

    def column(self, name: str) -> np.ndarray:
        """One coordinate's values over time, (T,); KeyError if the model lacks it."""
        try:
            return self.values[:, self.names.index(name)]
        except ValueError:
            raise KeyError(name) from None

    def cut(self, frames: slice | np.ndarray) -> Self:
        """The same, over some of the frames only."""
        return replace(self, time_s=self.time_s[frames], values=self.values[frames])


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates(PerCoordinate):
    """Generalized coordinates, in radians and metres, as OpenSim has them: degrees are the warehouse writer's."""

    def as_stored(self) -> "Coordinates":
        """The same within two roundings: angles that turn into degrees and back without changing by a bit.

        ValueError for NaN.
        """
        if not np.isfinite(self.values).all():
            raise ValueError("coordinates hold NaN or infinity, which no frame of a solved motion does.")
        values = self.values.copy()
        angles = values[:, self.rotational]
        # Ten million random angles were all at rest after the second time.
        while not np.array_equal(again := np.radians(np.degrees(angles)), angles):
            angles = again
        values[:, self.rotational] = angles
        return replace(self, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralizedForces(PerCoordinate):
    """Net generalized forces, as of inverse dynamics: N·m of the rotational coordinates, N of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KinematicsResult:
    """Inverse kinematics: coordinates, and how far each tracked marker ended from its measurement.

    marker_error_m (T, M) for `marker_names`, NaN where the marker was missing.
    """

    coordinates: Coordinates
    marker_names: tuple[str, ...]
    marker_error_m: np.ndarray

    def judged_by(self, names: Collection[str]) -> "Kinematics":
        """The same coordinates, with how well they fit these markers."""
        columns = [column for column, name in enumerate(self.marker_names) if name in names]
        return Kinematics(
            coordinates=self.coordinates,
            marker_names=tuple(self.marker_names[column] for column in columns),
            marker_error_m=self.marker_error_m[:, columns],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinematics:
    """A trial's joint coordinates, and how far from its measurement each marker lies that they are judged by.

    Coordinates that came without markers have none, and the figures over markers are NaN, "" for a name.
    marker_error_m (T, M) for `marker_names`, NaN where the marker was missing.
    """

    coordinates: Coordinates
    marker_names: tuple[str, ...]
    marker_error_m: np.ndarray

    def __post_init__(self) -> None:
        expected = (len(self.coordinates.time_s), len(self.marker_names))
        if self.marker_error_m.shape != expected:
            raise ValueError(f"marker errors have shape {self.marker_error_m.shape}, expected {expected}.")

    @property
    def marker_rms_m(self) -> np.ndarray:
        """Root mean square over the markers seen in each frame, (T,)."""
        if not self.marker_names:
            return np.full(len(self.marker_error_m), np.nan)
        rms_m: np.ndarray = np.sqrt(np.nanmean(self.marker_error_m**2, axis=1))
        return rms_m

    @property
    def marker_max_m(self) -> np.ndarray:
        """The largest error in each frame, (T,)."""
        if not self.marker_names:
            return np.full(len(self.marker_error_m), np.nan)
        largest_m: np.ndarray = np.nanmax(self.marker_error_m, axis=1)
        return largest_m

    @property
    def worst_marker(self) -> np.ndarray:
        """The name of the marker with the largest error in each frame, (T,)."""
        if not self.marker_names:
            return np.full(len(self.marker_error_m), "")
        return np.array(self.marker_names, dtype=str)[np.argmax(np.nan_to_num(self.marker_error_m), axis=1)]

    def cut(self, frames: slice | np.ndarray) -> "Kinematics":
        """The same, over some of the frames only."""
        return replace(self, coordinates=self.coordinates.cut(frames), marker_error_m=self.marker_error_m[frames])


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleForces:
    """Static optimization: activation (T, U) in 0-1 and tendon force_n (T, U) of each muscle.

    actuator_force (T, R): what reserve, residual and torque actuators added, by coordinate
    (`actuator_coordinates`), N·m or N. converged (T,): whether the optimizer reached its optimum. Where it
    didn't because nothing within the bounds makes what is asked, and the engine knows so, short_of (T,) names the
    coordinate whose moment falls shortest; it is "" elsewhere.
    """

    time_s: np.ndarray
    muscle_names: tuple[str, ...]
    activation: np.ndarray
    force_n: np.ndarray
    actuator_coordinates: tuple[str, ...]
    actuator_force: np.ndarray
    converged: np.ndarray
    short_of: np.ndarray

    def cut(self, frames: slice) -> "MuscleForces":
        """The same, over some of the frames only."""
        return replace(
            self,
            time_s=self.time_s[frames],
            activation=self.activation[frames],
            force_n=self.force_n[frames],
            actuator_force=self.actuator_force[frames],
            converged=self.converged[frames],
            short_of=self.short_of[frames],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JointLoads:
    """Joint contact forces, N: what the proximal segment (pelvis, thigh, shank) exerts on the distal one at each joint.

    `joints` are named as in `warehouse.channels.LOADED_JOINTS`. in_distal_n (T, J, 3) has the distal segment's axes,
    in_proximal_n (T, J, 3) the proximal one's. NaN where not known.
    """

    time_s: np.ndarray
    joints: tuple[str, ...]
    in_distal_n: np.ndarray
    in_proximal_n: np.ndarray

    def __post_init__(self) -> None:
        expected = (len(self.time_s), len(self.joints), 3)
        if self.in_distal_n.shape != expected or self.in_proximal_n.shape != expected:
            raise ValueError(
                f"joint loads have shapes {self.in_distal_n.shape} and {self.in_proximal_n.shape}, expected {expected} "
                f"for {len(self.time_s)} frames of {len(self.joints)} joints."
            )

    def cut(self, frames: slice) -> "JointLoads":
        """The same, over some of the frames only."""
        return replace(
            self,
            time_s=self.time_s[frames],
            in_distal_n=self.in_distal_n[frames],
            in_proximal_n=self.in_proximal_n[frames],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMarker:
    """A marker on the generic model: at location_m (3,) in its body's frame.

    A `fixed` marker keeps its (scaled) place on the bone when the others are moved onto the measured ones.
    """

    name: str
    body: str
    location_m: tuple[float, float, float]
    fixed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What sizes a segment: the distances between marker pairs, measured over the model's, averaged.

    `scales` are (body, axes) with axes a subset of "XYZ": which bodies take this factor, along which axes.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    scales: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not self.pairs or not self.scales:
            raise ValueError(f"measurement {self.name} needs at least one marker pair and one body to scale.")
        for body, axes in self.scales:
            if not axes or not set(axes) <= set("XYZ"):
                raise ValueError(f"measurement {self.name}: axes {axes!r} of {body} must be among 'XYZ'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinateTask:
    """A coordinate held near a value by inverse kinematics, radians or metres; None: the model's default."""

    name: str
    weight: float
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFigure:
    """One figure of a sized body: of what, its value and standard deviation, and what they must keep.

    NaN: no such limit, or not known. Beyond `limit`, either way, the body is refused; beyond `report_limit`, or where
    it is less sure than `sd_limit`, that is reported. `advice` says what to look at.
    """

    figure: str
    of: str
    value: float
    unit: str
    limit: float = float("nan")
    report_limit: float = float("nan")
    sd: float = float("nan")
    sd_limit: float = float("nan")
    advice: str = ""

    @property
    def refused(self) -> bool:
        """Whether the value lies beyond its limit, or is not known."""
        return not np.isnan(self.limit) and not abs(self.value) <= self.limit

    @property
    def warning(self) -> str:
        """A sentence, if the figure is larger or less certain than it should be."""
        what = f"the {self.figure.replace('_', ' ')} of {self.of}"
        if abs(self.value) > self.report_limit:
            return f"{what} is {self.value:.3g} {self.unit}, expected at most {self.report_limit:g}: {self.advice}"
        if self.sd > self.sd_limit:
            return f"{what} is known to ± {self.sd:.2g} {self.unit}, expected at most {self.sd_limit:g}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingRecording:
    """A recording that was to size a body, by its file's name: the static trial, which `stands`, or a walk.

    left_out: why it told nothing of the body; "" if it did.
    """

    file: str
    stands: bool
    left_out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledModel:
    """A subject's model as the text of an .osim file: the same bytes for the same input, wherever it is made.

    scale_factors: (3,) x, y, z by body. marker_error_m: by marker, how far the scaled model stood from the measured
    static pose (by ScaleTool's way, before the model's markers were moved). dropped_markers: in the set, and not
    measured or on a body that the model lacks. figures: what the body says of itself. sized_by: what it was sized by,
    and what was left out.
    """

    osim_xml: str
    scale_factors: Mapping[str, tuple[float, float, float]]
    body_mass_kg: Mapping[str, float]
    marker_error_m: Mapping[str, float]
    dropped_markers: tuple[str, ...]
    figures: tuple[BodyFigure, ...] = ()
    sized_by: tuple[SizingRecording, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JointAngles:
    """A walk's angles (T,) as laboratories report them, degrees by name; NaN where the model's bones don't tell.

    `unknown` says why they don't, body by body.
    """

    time_s: np.ndarray
    angles_deg: Mapping[str, np.ndarray]
    unknown: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to tell of angles that are not known, in one line."""
        if not self.unknown:
            return ()
        more = f", and {len(self.unknown) - 1} more such" if len(self.unknown) > 1 else ""
        return (
            "angles by laboratories' conventions need landmarks of the built-in model's bones, and are missing where "
            f"this model has others: {self.unknown[0]}{more}.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectModel:
    """A subject's model as a file, its bodies' factors over the generic model's, and what to say of it in each walk."""

    file: Path
    scale_factors: Mapping[str, tuple[float, float, float]]
    warnings: tuple[str, ...]
