"""OpenSim's ExternalLoads files: which columns of a file of ground reactions act on which foot."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from pipeline.c3d.recorded_bytes import recorded_bytes
from pipeline.errors import TrialRejected
from pipeline.recordings.text_file import STAGE, read_text, unreadable
from pipeline.records import Side

# The bodies of a foot in OpenSim's models of gait.
_FOOT = re.compile(r"calcn|toe|foot|talus|heel|midfoot|forefoot|metatars", re.IGNORECASE)
_GROUND = frozenset({"", "ground", "/ground"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalForce:
    """One force on one foot: what its force, point and torque columns begin with; "" where it has none."""

    name: str
    foot: Side
    force: str
    point: str
    torque: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalLoads:
    """What one file says: the data file's name, the forces that are switched on, and warnings about the others."""

    path: Path
    data_file: str
    forces: tuple[ExternalForce, ...]
    warnings: tuple[str, ...]


def side_in(name: str) -> Side | None:
    """The side that a name says by a word (`calcn_r`, `R_ground_force`, `left.toes`); None for none or both."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    right, left = bool({"r", "right", "rt"} & set(words)), bool({"l", "left", "lt"} & set(words))
    return None if right == left else "right" if right else "left"


def read_external_loads(path: Path) -> ExternalLoads:
    """An ExternalLoads file. TrialRejected if it is none, or loads something else than feet, or in another frame."""
    root = _root(path)
    found = root.find(".//ExternalLoads")
    if found is None:
        raise unreadable(path.name, f"holds {root.tag}, expected ExternalLoads. Name the file of forces.")
    forces, warnings = [], []
    for force in found.iter("ExternalForce"):
        name = force.get("name", "")
        if _text(force, "isDisabled").lower() == "true" or _text(force, "appliesForce").lower() == "false":
            warnings.append(f"{path.name}: force {name} is switched off, and not used.")
            continue
        forces.append(_external_force(path.name, name, force))
    if not forces:
        raise unreadable(path.name, "switches on no ExternalForce, expected one a foot.")
    return ExternalLoads(
        path=path,
        # Written on Windows, a path has backslashes.
        data_file=re.split(r"[/\\]", _text(found, "datafile"))[-1],
        forces=tuple(forces),
        warnings=tuple(warnings),
    )


def loads_beside(forces: Path) -> ExternalLoads | None:
    """The ExternalLoads in the folder that name this file of forces; None if there are none. TrialRejected for two."""
    named = naming_files(forces)
    if len(named) > 1:
        raise unreadable(
            forces.name,
            f"{', '.join(path.name for path in named)} each say on which bodies its forces act, expected one. Name the "
            "right one as the trial's `forces`.",
        )
    return read_external_loads(named[0]) if named else None


def naming_files(forces: Path) -> tuple[Path, ...]:
    """The ExternalLoads files beside a file of forces that name it."""
    return tuple(path for path in _xml_files(forces.parent) if _names(path, forces.name))


def _xml_files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if path.suffix.lower() == ".xml" and path.is_file())


def _names(path: Path, data_file: str) -> bool:
    """Whether an XML file is an ExternalLoads that names this file; one that can't be read names none."""
    try:
        text = recorded_bytes(path, STAGE).decode("utf-8", "replace")
        found = ElementTree.fromstring(text.encode()).find(".//ExternalLoads") if "ExternalLoads" in text else None
    except (TrialRejected, ElementTree.ParseError):
        return False
    return found is not None and re.split(r"[/\\]", _text(found, "datafile"))[-1].casefold() == data_file.casefold()


def _root(path: Path) -> ElementTree.Element:
    text, _ = read_text(path)
    try:
        return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except ElementTree.ParseError as error:
        raise unreadable(path.name, f"is no XML ({error}), expected OpenSim's ExternalLoads.") from error


def _external_force(file: str, name: str, force: ElementTree.Element) -> ExternalForce:
    body = _text(force, "applied_to_body").rsplit("/", 1)[-1]
    side = side_in(body)
    if side is None or not _FOOT.search(body):
        raise unreadable(
            file,
            f"force {name} acts on {body or 'no body'!r}, expected a foot (calcn_r, toes_l, …). A hand's or a device's "
            "force would be missing in every moment: leave the trial out.",
        )
    for what in ("force_expressed_in_body", "point_expressed_in_body"):
        frame = _text(force, what)
        if frame.lower() not in _GROUND:
            raise unreadable(file, f"force {name} has {what} {frame!r}, expected ground. Export it in ground.")
    return ExternalForce(
        name=name,
        foot=side,
        force=_identifier(force, "force_identifier"),
        point=_identifier(force, "point_identifier"),
        torque=_identifier(force, "torque_identifier"),
    )


def _identifier(force: ElementTree.Element, what: str) -> str:
    text = _text(force, what)
    return "" if text.lower() == "unassigned" else text


def _text(element: ElementTree.Element, tag: str) -> str:
    return (element.findtext(tag) or "").strip()
