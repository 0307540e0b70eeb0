"""What a user typed of a session, checked before anything is written: by itself, and against what recordings state."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import ValidationError

from pipeline.records import Recording
from pipeline.session.session import Subject
from warehouse.identity import check_name

# Scales and clothes differ by less, and so do a walker's mean force and weight.
MASS_TOLERANCE = 0.05
HEIGHT_TOLERANCE = 0.02
AGE_TOLERANCE_Y = 1.0
# Outside of these a body mass index is a slip more often than a person: pounds for kilograms, or two people's figures.
LEAST_BMI = 11.0
LARGEST_BMI = 45.0
# The seventh cervical vertebra's height over the person's: 0.82 to 0.86 in twelve adults and six children of two
# laboratories, with markers on and standing at ease.
SEVENTH_CERVICAL_HEIGHT = 0.845
SEVENTH_CERVICAL_TOLERANCE = 0.05
_SEVENTH_CERVICAL = ("C7", "CV7")
# Of a marker on the shoe; otherwise the laboratory's zero is not the floor, and heights above it say nothing.
_FLOOR_M = (-0.05, 0.15)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFacts:
    """What the user said of the subject; None where nothing was said."""

    id: str
    mass_kg: float | None = None
    height_m: float | None = None
    sex: str | None = None
    age_y: float | None = None


def check_facts(facts: SubjectFacts, cohort: str | None) -> None:
    """ValueError names every option whose value no session file may have, with what was found and expected."""
    wrong = []
    for option, value in (("subject", facts.id), ("cohort", cohort)):
        try:
            if value is not None:
                check_name(f"--{option}", value)
        except ValueError as error:
            wrong.append(str(error).rstrip("."))
    if facts.sex not in (None, "F", "M"):
        wrong.append(f"--sex {facts.sex!r}: expected F or M, or nothing where it isn't recorded")
    said = {name: value for name, value in asdict(facts).items() if value is not None and name != "sex"}
    try:
        Subject.model_validate(said)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if item["type"] != "missing":
                option = str(item["loc"][0]).replace("_", "-")
                message = item["msg"].removeprefix("Value error, ").removesuffix(" Correct session.toml")
                wrong.append(f"--{option} {item['input']}: {message[:1].lower()}{message[1:]}")
    if wrong:
        raise ValueError("; ".join(wrong) + ". Nothing was written: correct it and run this again.")


def contradictions(facts: SubjectFacts, recordings: Mapping[str, Recording], static: str | None) -> list[str]:
    """A sentence for each figure that the user typed and that a recording, or the body in it, contradicts."""
    return [
        *_against("--mass-kg", facts.mass_kg, "kg", MASS_TOLERANCE, _stated(recordings, "mass_kg")),
        *_against("--height-m", facts.height_m, "m", HEIGHT_TOLERANCE, _stated(recordings, "height_m")),
        *_other_sex(facts.sex, _stated(recordings, "sex")),
        *_other_age(facts.age_y, _stated(recordings, "age_y")),
        *_unlikely_build(facts),
        *_other_stature(facts, recordings.get(static) if static else None),
        *_several_people(recordings),
    ]


def _stated(recordings: Mapping[str, Recording], fact: str) -> dict[float | str, list[str]]:
    """What the recordings state of the subject, and which of them state it."""
    stated: dict[float | str, list[str]] = defaultdict(list)
    for name, recording in recordings.items():
        value = getattr(recording.subject, fact)
        if value is not None:
            stated[round(value, 3) if isinstance(value, float) else value].append(name)
    return stated


def _against(
    option: str, typed: float | None, unit: str, tolerance: float, stated: Mapping[float | str, list[str]]
) -> Iterator[str]:
    for value, names in stated.items():
        if typed is not None and isinstance(value, float) and abs(value / typed - 1) > tolerance:
            yield f"{_states(names)} {value:g} {unit}, {option} is {typed:g}: one of them is wrong"


def _other_sex(typed: str | None, stated: Mapping[float | str, list[str]]) -> Iterator[str]:
    for value, names in stated.items():
        if typed is not None and value != typed:
            yield f"{_states(names)} sex {value}, --sex is {typed}: one of them is wrong"


def _other_age(typed: float | None, stated: Mapping[float | str, list[str]]) -> Iterator[str]:
    for value, names in stated.items():
        if typed is not None and isinstance(value, float) and abs(value - typed) > AGE_TOLERANCE_Y:
            yield f"{_states(names)} an age of {value:g} years, --age-y is {typed:g}: one of them is wrong"


def _unlikely_build(facts: SubjectFacts) -> Iterator[str]:
    if facts.mass_kg is not None and facts.height_m is not None:
        index = facts.mass_kg / facts.height_m**2
        if not LEAST_BMI <= index <= LARGEST_BMI:
            yield (
                f"--mass-kg {facts.mass_kg:g} and --height-m {facts.height_m:g} are a body mass index of {index:.0f}, "
                f"expected {LEAST_BMI:g}-{LARGEST_BMI:g}: are pounds given for kilograms, or another person's height?"
            )


def _other_stature(facts: SubjectFacts, static: Recording | None) -> Iterator[str]:
    vertebra_m = float("nan") if static is None else _seventh_cervical_m(static)
    if facts.height_m is None or np.isnan(vertebra_m):
        return
    if abs(vertebra_m / SEVENTH_CERVICAL_HEIGHT / facts.height_m - 1) > SEVENTH_CERVICAL_TOLERANCE:
        yield (
            f"the marker on the seventh cervical vertebra stands {vertebra_m:.2f} m high, as in a person of "
            f"{vertebra_m / SEVENTH_CERVICAL_HEIGHT:.2f} m, and --height-m is {facts.height_m:g}: check it, unless the "
            "person stands bent"
        )


def _seventh_cervical_m(static: Recording) -> float:
    """How high the vertebra's marker is above the floor; NaN if there is none, or the floor is not at zero."""
    label = next((label for label in _SEVENTH_CERVICAL if label in static.marker_labels), None)
    seen = np.isfinite(static.markers_m).all(axis=(0, 2))
    if label is None or not seen.any():
        return float("nan")
    places = static.markers_m.mean(axis=0)
    # A person stands taller than wide, and laboratories have z or y upwards.
    up = max((1, 2), key=lambda axis: float(np.ptp(places[seen, axis])))
    if not _FLOOR_M[0] <= float(places[seen, up].min()) <= _FLOOR_M[1]:
        return float("nan")
    return float(places[static.marker_labels.index(label), up])


def _several_people(recordings: Mapping[str, Recording]) -> Iterator[str]:
    """Names are never shown: files of one person share a fingerprint."""
    people: dict[str, list[str]] = defaultdict(list)
    for name, recording in recordings.items():
        if recording.subject.fingerprint is not None:
            people[recording.subject.fingerprint].append(name)
    if len(people) > 1:
        groups = " / ".join(_named(names) for names in people.values())
        yield f"the files name {len(people)} subjects in their SUBJECTS block ({groups}): a session is one person's"


def _states(names: list[str]) -> str:
    return f"{_named(names)} {'states' if len(names) == 1 else 'state'}"


def _named(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
