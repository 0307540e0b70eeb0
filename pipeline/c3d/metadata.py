"""What a C3D file says beside its numbers: labels, events, the subject block, model outputs."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from pipeline.c3d.parameters import Parameters
from pipeline.records import Event, ModelOutput, Sex, SubjectBlock

OutputKind = Literal["angle", "moment", "force", "power", "scalar", "modelled_marker"]

_MASS_KG = {"kg": 1.0, "g": 1e-3, "lb": 0.45359237, "lbs": 0.45359237}
# What a unit of length is called. Fields of four characters cut "meters" to "mete".
LENGTH_M = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres", "mill"), 1e-3),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres", "cent"), 1e-2),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres", "mete", "metr"), 1.0),
}
_SEXES: dict[str, Sex] = {"f": "F", "female": "F", "woman": "F", "m": "M", "male": "M", "man": "M"}
_OUTPUT_KINDS: dict[str, tuple[OutputKind, str]] = {
    "ANGLES": ("angle", "POINT:ANGLE_UNITS"),
    "FORCES": ("force", "POINT:FORCE_UNITS"),
    "MOMENTS": ("moment", "POINT:MOMENT_UNITS"),
    "POWERS": ("power", "POINT:POWER_UNITS"),
    "SCALARS": ("scalar", "POINT:SCALAR_UNITS"),
    "MODELED_MARKERS": ("modelled_marker", "POINT:MODELED_MARKER_UNITS"),
}
# "Foot Strike", "Foot Strike1", "Heel Strike", "FS", "LHS", "R_TO", "Right Toe Off", "Initial Contact" ...
_EVENT = re.compile(
    r"(?P<before>left|right|l|r)?"
    r"(?:(?P<strike>footstrike|heelstrike|footcontact|heelcontact|initialcontact|footon|fs|hs|fc|ic)"
    r"|(?P<off>footoff|toeoff|fo|to))"
    r"(?P<after>left|right|l|r)?"
)
_SIDES: dict[str, Literal["right", "left"]] = {"l": "left", "left": "left", "r": "right", "right": "right"}


def unique_labels(labels: Sequence[str], count: int, kind: str) -> tuple[tuple[str, ...], list[str]]:
    """Exactly `count` different labels and warnings about those that had to be made up or changed.

    A second `LASI` becomes `LASI_2`; a missing label becomes `<kind>_<number>`, counted from 1.
    """
    taken: set[str] = set()
    repeated: list[str] = []
    unique = []
    for number in range(1, count + 1):
        stated = labels[number - 1] if number <= len(labels) else ""
        label, copy = stated or f"{kind}_{number}", 2
        if label in taken:
            repeated.append(label)
        while label in taken:
            label, copy = f"{stated or kind}_{copy}", copy + 1
        taken.add(label)
        unique.append(label)
    warnings = []
    if repeated:
        warnings.append(f"{kind} labels repeat, and got a number: {', '.join(sorted(set(repeated)))}.")
    unnamed = count - sum(1 for label in labels[:count] if label)
    if unnamed:
        warnings.append(f"{unnamed} of {count} {kind}s have no label, and are called {kind}_<number>.")
    return tuple(unique), warnings


def subject_prefixes(labels: Sequence[str]) -> dict[str, str]:
    """What replaces each "subject:" before a label: nothing for one subject, "1:", "2:" for several.

    Recording software puts the subject's name there, and a person's name is never kept.
    """
    subjects = list(dict.fromkeys(label.split(":", 1)[0] for label in labels if ":" in label))
    if len(subjects) == 1:
        return {subjects[0]: ""}
    return {subject: f"{number}:" for number, subject in enumerate(subjects, start=1)}


def without_prefix(label: str, prefixes: Mapping[str, str]) -> str:
    """`label` with its subject's prefix replaced as `subject_prefixes` says."""
    subject, colon, rest = label.partition(":")
    return prefixes[subject] + rest if colon and subject in prefixes else label


def read_events(parameters: Parameters, in_header: Sequence[tuple[str, float]]) -> tuple[tuple[Event, ...], list[str]]:
    """The EVENT group or, where the file has none, the header's events; in the order of time; and warnings.

    EVENT:TIMES holds minutes and seconds, frame 1 being at 0 s. A side comes from CONTEXTS, or from a label
    such as LHS.
    """
    used = parameters.count("EVENT:USED")
    flat = parameters.numbers("EVENT:TIMES").ravel(order="F")
    if used is None and flat.size == 0:
        old = [_event(label, "", time_s) for label, time_s in in_header]
        return tuple(sorted(old, key=lambda event: event.time_s)), []
    times = flat[: 2 * (flat.size // 2)].reshape(-1, 2)
    times = times[: len(times) if used is None else used]
    labels, contexts = parameters.texts("EVENT:LABELS"), parameters.texts("EVENT:CONTEXTS")
    events, warnings = [], []
    if used is not None and used > len(times):
        warnings.append(f"EVENT:USED states {used} events, and EVENT:TIMES holds {len(times)}.")
    for index, (minutes, seconds) in enumerate(times):
        if np.isfinite(minutes) and np.isfinite(seconds):
            label = labels[index] if index < len(labels) else ""
            context = contexts[index] if index < len(contexts) else ""
            events.append(_event(label, context, 60 * float(minutes) + float(seconds)))
        else:
            warnings.append(f"event {index + 1} has no time: left out.")
    return tuple(sorted(events, key=lambda event: event.time_s)), warnings


def _event(label: str, context: str, time_s: float) -> Event:
    said = _EVENT.fullmatch(re.sub(r"[\s_\-.0-9]", "", label.lower()))
    side = _SIDES.get(context.strip().lower())
    if said is None:
        return Event(kind="other", side=side or "general", time_s=time_s, label=label)
    side = side or _SIDES.get(said["before"] or said["after"] or "")
    kind: Literal["foot_strike", "foot_off"] = "foot_strike" if said["strike"] else "foot_off"
    return Event(kind=kind, side=side or "general", time_s=time_s, label=label)


def read_subject(parameters: Parameters) -> tuple[SubjectBlock, list[str]]:
    """Mass, height, sex, age and a fingerprint of the name, and warnings about what had no usable unit.

    Names and birth dates don't leave this function. Plug-in Gait's PROCESSING:BODYMASS and HEIGHT are
    kilograms and millimetres by definition (Vicon, Plug-in Gait Reference Guide); it
    writes 0 for a measurement that nobody entered.
    """
    table, warnings = _labelled_values(parameters), []
    mass_kg = _positive(parameters.number("PROCESSING:BODYMASS"))
    height_m = _positive(parameters.number("PROCESSING:HEIGHT"), LENGTH_M["mm"])
    for label in ("weight", "mass", "height"):
        if parameters.number(f"SUBJECT:{label.upper()}") is not None:
            warnings.append(f"SUBJECT:{label.upper()} has no unit: ignored.")
        if label in table and table[label][1].lower() not in (LENGTH_M if label == "height" else _MASS_KG):
            warnings.append(f"the subject's {label} has the unknown unit {table[label][1]!r}: ignored.")
    subject = SubjectBlock(
        mass_kg=mass_kg or _converted(table, ("weight", "mass"), _MASS_KG),
        height_m=height_m or _converted(table, ("height",), LENGTH_M),
        sex=_sex(parameters, table),
        age_y=_converted(table, ("age",), {"years": 1.0, "year": 1.0, "y": 1.0}),
        fingerprint=_fingerprint(parameters),
    )
    return subject, warnings


def _labelled_values(parameters: Parameters) -> dict[str, tuple[float, str]]:
    """SUBJECT:VALUES by SUBJECT:LABELS, with SUBJECT:UNITS."""
    values = parameters.numbers("SUBJECT:VALUES").ravel()
    rows = zip(parameters.texts("SUBJECT:LABELS"), values, parameters.texts("SUBJECT:UNITS"), strict=False)
    return {label.lower(): (float(value), unit) for label, value, unit in rows}


def _positive(value: float | None, factor: float = 1.0) -> float | None:
    return value * factor if value is not None and value > 0 else None


def _converted(
    table: Mapping[str, tuple[float, str]], labels: tuple[str, ...], factors: Mapping[str, float]
) -> float | None:
    for label in labels:
        value, unit = table.get(label, (0.0, ""))
        if unit.lower() in factors:
            return _positive(value, factors[unit.lower()])
    return None


def _sex(parameters: Parameters, table: Mapping[str, tuple[float, str]]) -> Sex | None:
    for key in ("SUBJECT:SEX", "SUBJECT:GENDER"):
        if parameters.text(key).lower() in _SEXES:
            return _SEXES[parameters.text(key).lower()]
    # As a number it means something only with its legend: "(0: woman, 1: man)".
    value, legend = table.get("gender", table.get("sex", (float("nan"), "")))
    meanings = {float(code): word.lower() for code, word in re.findall(r"(\d+)\s*[:=]\s*([A-Za-z]+)", legend)}
    return _SEXES.get(meanings.get(value, ""))


def _fingerprint(parameters: Parameters) -> str | None:
    for key in ("SUBJECTS:NAMES", "SUBJECT:NAMES", "SUBJECT:NAME"):
        names = [name for name in parameters.texts(key) if name]
        if names:
            return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
    return None


def read_model_outputs(
    parameters: Parameters, labels: Sequence[str], points: np.ndarray, prefixes: Mapping[str, str]
) -> dict[str, ModelOutput]:
    """The points that POINT:ANGLES, FORCES, MOMENTS ... list: computed quantities, not markers.

    points (T, P, 3) as stored, in the order of `labels`; a quantity's values stay in its own unit, NaN where
    it was not computed.
    """
    columns = {label: column for column, label in enumerate(labels)}
    outputs = {}
    for group, (kind, unit_key) in _OUTPUT_KINDS.items():
        unit = parameters.text(unit_key) or (parameters.text("POINT:UNITS") if kind == "modelled_marker" else "")
        for stated in parameters.texts(f"POINT:{group}"):
            label = without_prefix(stated, prefixes)
            if label in columns and label not in outputs:
                values = points[:, columns[label]]
                outputs[label] = ModelOutput(label=label, kind=kind, unit=unit, values=values)
    return outputs
