"""What a C3D file says beside its numbers: labels, events, the subject block, the laboratory's model outputs."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from pipeline.c3d_parameters import Parameters
from pipeline.records import Event, ModelOutput, SubjectBlock

Sex = Literal["F", "M"]
OutputKind = Literal["angle", "moment", "force", "power", "scalar", "modelled_marker"]

_MASS_KG = {"kg": 1.0, "g": 1e-3, "lb": 0.45359237, "lbs": 0.45359237}
_LENGTH_M = {"mm": 1e-3, "cm": 1e-2, "m": 1.0}
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


def without_subject_prefix(labels: Sequence[str], parameters: Parameters) -> tuple[str, ...]:
    """Labels without the "subject:" that recording software puts before them; several subjects become "2:"...

    The prefix is a person's name often enough, so it is never kept.
    """
    subjects = list(dict.fromkeys(label.split(":", 1)[0] for label in labels if ":" in label))
    renamed = {subject: "" if number == 1 else f"{number}:" for number, subject in enumerate(subjects, start=1)}
    names = {subject: _name_free(subject) for subject in parameters.texts("SUBJECTS:NAMES")}
    del names
    return tuple(
        renamed[label.split(":", 1)[0]] + label.split(":", 1)[1] if ":" in label else label for label in labels
    )
