"""Profiles: how one laboratory works. Marker label -> body and place on the model, what scales what."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from pipeline.records import CoordinateTask, Side
from pipeline.session.recipe import Positive
from warehouse.settings_file import Checked

Axis = Literal["plates", "pelvis", "+x", "-x", "+y", "-y", "+z", "-z"]
Vector = tuple[float, float, float]
Weight = Annotated[float, Field(ge=0)]
# One label, or several whose middle is meant.
Labels = Annotated[
    tuple[str, ...], Field(min_length=1), BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
# How late force plates are against the cameras, seconds; negative where they are early. No instrument is a tenth late.
PlatesLag = Annotated[float, Field(ge=-0.1, le=0.1)]
# A plate's own channels, in the order of FORCE_PLATFORM:CHANNEL of type 2.
Channel = Literal["fx", "fy", "fz", "mx", "my", "mz"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)


class PlateCorrection(Checked):
    """What is wrong with a plate's channels, and is put right: some exchanged, then multiplied, then reversed.

    "free_moment" is the moment about the normal at the centre of pressure, which stays where it is.
    """

    exchange: tuple[tuple[Channel, Channel], ...] = ()
    times: dict[Channel, Positive] = Field(default_factory=dict)
    reverse: tuple[Channel | Literal["free_moment"], ...] = ()

    def factor(self, channel: Channel) -> float:
        """What a channel is multiplied by, after exchanges."""
        return self.times.get(channel, 1.0) * (-1.0 if channel in self.reverse else 1.0)

    def __str__(self) -> str:
        exchanged = [f"{first} and {second} exchanged" for first, second in self.exchange]
        scaled = [f"{channel} times {factor:g}" for channel, factor in self.times.items()]
        reversed_ = [f"{channel} reversed" for channel in self.reverse]
        return ", ".join([*exchanged, *scaled, *reversed_]) or "nothing"


# [plates.2] corrects plate 2.
PlateCorrections = dict[Annotated[str, Field(pattern=r"^[1-9][0-9]?$")], PlateCorrection]


class ProfileMarker(Checked):
    """Where a label sits on the unscaled model (metres, in the body's frame), and how much it counts.

    A `guide` steers the posture, but how well it fits is not judged: an arm's marker, say, since the
    model's shoulder girdle doesn't move. No hip angle, moment or force depends on where an arm is.
    """

    body: str
    location_m: Vector
    ik_weight: Weight
    static_weight: Weight
    required: bool = True
    guide: bool = False
    landmark: str = ""


class SegmentMeasurement(Checked):
    """Marker pairs whose measured distance, over the model's own, scales bodies along axes."""

    name: str
    pairs: Annotated[tuple[tuple[str, str], ...], Field(min_length=1)]
    scales: dict[str, Annotated[str, Field(pattern=r"^X?Y?Z?$", min_length=1)]]


class Pelvis(Checked):
    """Labels over the anterior and posterior iliac spines; a sacral marker may stand for both posterior ones."""

    right_anterior: str
    left_anterior: str
    posterior: Annotated[tuple[str, ...], Field(min_length=1)]


class FootLabels(Checked):
    """A foot's labels: at the heel, and near the head of the second metatarsal. Of several, their middle."""

    heel: Labels
    toe: Labels

    @property
    def labels(self) -> tuple[str, ...]:
        """All of them, heel first."""
        return self.heel + self.toe


class Profile(Checked):
    """One laboratory's way of working.

    `held`: coordinates that its markers hardly tell, and the weight (m²/rad²) with which they stay near the default.
    `plates_lag_s`: how late its force plates are against its cameras, None where nobody has stated it.
    `plates`: what is wrong with its plates' channels, by their numbers.
    `model_sha256`: of the model's file that the places are on, "" for the built-in one and models of its bones.
    """

    name: str
    description: str
    source: str
    up: Axis = "plates"
    forward: Axis = "pelvis"
    plates_lag_s: PlatesLag | None = None
    plates: PlateCorrections = Field(default_factory=dict)
    model_sha256: str = ""
    pelvis: Pelvis
    right_foot: FootLabels
    left_foot: FootLabels
    same_segment: tuple[tuple[str, str], ...]
    markers: dict[str, ProfileMarker]
    measurements: tuple[SegmentMeasurement, ...]
    held: dict[str, Positive] = Field(default_factory=dict)

    @property
    def coordinate_tasks(self) -> tuple[CoordinateTask, ...]:
        """Coordinates that the markers don't tell, held near the model's default by inverse kinematics."""
        return tuple(CoordinateTask(name=name, weight=weight, value=None) for name, weight in self.held.items())

    @property
    def required_labels(self) -> tuple[str, ...]:
        """Labels that every recording of this laboratory holds."""
        return tuple(label for label, marker in self.markers.items() if marker.required)

    def of_results(self) -> dict[str, object]:
        """What a body follows from, as plain data: no names, no words, and nothing of the plates."""
        return self.model_dump(exclude={"name", "description", "source", "plates_lag_s", "plates"})

    @model_validator(mode="after")
    def _labels_are_markers(self) -> "Profile":
        named = {label for pair in self.same_segment for label in pair}
        named |= {label for item in self.measurements for pair in item.pairs for label in pair}
        named |= {self.pelvis.right_anterior, self.pelvis.left_anterior, *self.pelvis.posterior}
        for foot in (self.right_foot, self.left_foot):
            named |= set(foot.labels)
        unknown = sorted(named - set(self.markers))
        if unknown:
            raise ValueError(f"labels {unknown} are used but have no entry under [markers]")
        return self


def foot_of(profile: Profile, side: Side) -> FootLabels:
    """The labels of one foot."""
    return profile.right_foot if side == "right" else profile.left_foot
