"""What marker labels mean: `RASI`, `R_IAS`, `Right ASIS` and `subject:asis.r` are one place.

`label_names.toml` has the names. A label means something only if it can be read in one way.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pipeline.landmarks.bony_places import landmarks
from warehouse.settings_file import parse_toml

SideLetter = Literal["r", "l"]

_SIDE_WORDS: dict[str, SideLetter] = {"r": "r", "right": "r", "rt": "r", "l": "l", "left": "l", "lt": "l"}
# A prefix or suffix that so many labels share is a subject's or a program's, and says nothing of the place.
SHARED_AFFIX_RATIO = 0.8
FEWEST_FOR_AFFIX = 5
# Programs write a segment's axes as four points: origin, anterior, lateral, proximal.
_AXES_ENDS = "OALP"
_VIDEO_POINTS = (
    *("nose", "neck", "head", "eye", "ear", "shoulder", "elbow", "wrist", "midhip", "hip", "knee", "ankle", "heel"),
    *("bigtoe", "smalltoe"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a marker is: on a body; over a landmark, or "" for a technical marker, which may be anywhere on it."""

    body: str
    side: SideLetter | Literal[""]
    landmark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What labels say. `unused`: known, and of no use, with what they are; `unknown`: nothing is known of them."""

    places: Mapping[str, Place]
    unused: Mapping[str, str]
    unknown: tuple[str, ...]

    def of(self, landmark: str, side: str = "") -> str | None:
        """The label over a landmark of a side ("" in the middle); None if there is none."""
        for label, place in self.places.items():
            if (place.landmark, place.side) == (landmark, side):
                return label
        return None


def read_labels(labels: Sequence[str]) -> Reading:
    """What each label means. Of several over one landmark the one whose name is first in the library stands for it.

    The others are technical markers of the same body.
    """
    axes = _axes_of_segments(labels)
    video = _points_of_a_video(labels)
    siblings = _numbered(labels)
    places: dict[str, Place] = {}
    unused: dict[str, str] = {}
    unknown: list[str] = []
    rank: dict[tuple[str, str], tuple[int, str]] = {}
    bare = _without_affixes(labels)
    for label in labels:
        if label in axes or label in video:
            unused[label] = "axes of a segment" if label in axes else "joint centre told by a video"
            continue
        read = None if bare[label].lower() in siblings else _read(bare[label])
        if read is None and re.fullmatch(r"\*?\d+|[UC]_?\d+|unlabell?ed.*", bare[label], re.IGNORECASE):
            unused[label] = "unlabelled"
        elif read is None:
            unknown.append(label)
        elif isinstance(read, str):
            unused[label] = read.replace("_", " ")
        else:
            place, order = read
            places[label] = place
            if place.landmark:
                key = place.landmark, place.side
                rank[key] = min(rank.get(key, (order, label)), (order, label))
    chosen = {label for _, label in rank.values()}
    for label, place in places.items():
        if place.landmark and label not in chosen:
            places[label] = Place(place.body, place.side)
    return Reading(places=places, unused=unused, unknown=tuple(unknown))


def place_of(name: str, side: str) -> Place:
    """The place of a landmark (or of a body, for a technical marker). ValueError if there is no such thing."""
    if name in landmarks():
        landmark = landmarks()[name]
        if landmark.sided != (side in ("r", "l")):
            raise ValueError(f"landmark {name!r} {'needs a side' if landmark.sided else 'has no side'}.")
        return Place(landmark.body_of(side), _letter(side), name)
    raise ValueError(f"there is no landmark {name!r}; there are: {', '.join(landmarks())}.")


def _letter(side: str) -> SideLetter | Literal[""]:
    return "r" if side == "r" else "l" if side == "l" else ""


def _axes_of_segments(labels: Sequence[str]) -> set[str]:
    present = set(labels)
    found: set[str] = set()
    for label in labels:
        four = {label[:-1] + end for end in _AXES_ENDS}
        if label[-1:] in _AXES_ENDS and four <= present:
            found |= four
    return found


def _points_of_a_video(labels: Sequence[str]) -> set[str]:
    """Joint centres, as video software names them: `RKnee` there is no marker over an epicondyle."""
    plain = {label: re.sub(r"[^a-z]", "", label.lower()) for label in labels}
    if not {"midhip", "neck"} <= set(plain.values()):
        return set()
    sides = ("", "r", "l", "right", "left")
    names = {side + point for side in sides for point in _VIDEO_POINTS}
    return {label for label, text in plain.items() if text in names}


def _numbered(labels: Sequence[str]) -> set[str]:
    """Names of vertebrae that are numbers of a cluster's markers: T2 beside T1 and T3."""
    plain = {label.lower() for label in labels}
    found = set()
    for letter, vertebrae in (("t", ("2",)), ("s", ("1", "2"))):
        others = {f"{letter}{number}" for number in "1234" if number not in vertebrae}
        if others & plain:
            found |= {f"{letter}{number}" for number in vertebrae}
    return found


def _without_affixes(labels: Sequence[str]) -> dict[str, str]:
    """Labels without `Subject:` and without a first or last part that most of them share."""
    # OpenCap adds its suffix to the markers that it makes up of a video's points.
    bare = {label: label.rsplit(":", 1)[-1].strip().removesuffix("_study") for label in labels}
    for at in (0, -1):
        parts = [re.split(r"[^A-Za-z0-9]+", text) for text in bare.values()]
        ends = [part[at].lower() for part in parts if len(part) > 1 and part[at]]
        common = max(set(ends), key=lambda end: (ends.count(end), end), default="")
        enough = ends.count(common) >= max(FEWEST_FOR_AFFIX, SHARED_AFFIX_RATIO * len(labels))
        if common and enough and common not in _SIDE_WORDS:
            pattern = rf"^{common}[^A-Za-z0-9]+" if at == 0 else rf"[^A-Za-z0-9]+{common}$"
            bare = {label: re.sub(pattern, "", text, flags=re.IGNORECASE) for label, text in bare.items()}
    return bare


def _read(text: str) -> tuple[Place, int] | str | None:
    """What a label says, with its name's rank; what it is if it's of no use; None if unknown or not to be told."""
    candidates = list(dict.fromkeys(_ways_to_read(text)))
    for lookup in (_exactly, _by_beginning):
        found: dict[str, tuple[Place, int] | str] = {}
        for side, name in candidates:
            meaning = lookup(side, name)
            if meaning is not None:
                found.setdefault(side, meaning)
        sided = [found[side] for side in ("r", "l") if side in found]
        if len(sided) == 2:
            return None
        if found:
            return sided[0] if sided else found[""]
    return None


def _ways_to_read(text: str) -> Iterator[tuple[str, str]]:
    """Sides ("r", "l", "") and names without separators that a label may consist of, the plainest first."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", text) if part]
    in_words = [word for part in parts for word in _words(part)]
    plain = "".join(parts).lower()
    told = False
    for words in (parts, in_words):
        for at, word in enumerate(words):
            whole = len(word) > 1 or at in (0, len(words) - 1)
            if len(words) > 1 and word.lower() in _SIDE_WORDS and whole:
                told = True
                yield _SIDE_WORDS[word.lower()], "".join(words[:at] + words[at + 1 :]).lower()
    if told:
        return
    for word, side in (("right", "r"), ("left", "l")):
        if plain.startswith(word):
            yield side, plain.removeprefix(word)
        if plain.endswith(word):
            yield side, plain.removesuffix(word)
    if plain[:1] in ("r", "l") and (len(parts) == 1 or (len(parts) == 2 and parts[1].lower() in _SIDES_OF_A_JOINT)):
        yield plain[0], plain[1:]
    yield "", plain


def _words(part: str) -> list[str]:
    """`RBigToe` -> R, Big, Toe; `ASISr` -> ASIS, r; `MT1` -> MT1."""
    trailing = re.fullmatch(r"([A-Z0-9]{2,})([rl])", part)
    if trailing:
        return [trailing[1], trailing[2]]
    return re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+[A-Za-z]*", part) or [part]


def _exactly(side: str, name: str) -> tuple[Place, int] | str | None:
    whole, _ = _names()
    return _meaning(side, *whole[name]) if name in whole else None


def _by_beginning(side: str, name: str) -> tuple[Place, int] | str | None:
    _, beginnings = _names()
    numbered = re.sub(r"\d+$", "#", name)
    if numbered in beginnings:
        return _meaning(side, *beginnings[numbered])
    fitting = [beginning for beginning in beginnings if beginning[-1] != "#" and name.startswith(beginning)]
    return _meaning(side, *beginnings[max(fitting, key=len)]) if fitting else None


def _meaning(side: str, kind: str, name: str, order: int) -> tuple[Place, int] | str | None:
    if kind == "unused":
        return name
    if kind == "landmarks":
        landmark = landmarks()[name]
        return (place_of(name, side), order) if landmark.sided == bool(side) else None
    if name in ("pelvis", "torso"):
        return Place(name, ""), order
    return (Place(f"{name}_{side}", _letter(side)), order) if side else None


# RKNEE_LAT: the side is the first letter, though the label has two parts.
_SIDES_OF_A_JOINT = frozenset({"lat", "med", "lateral", "medial"})
_Entry = tuple[str, str, int]


@cache
def _names() -> tuple[dict[str, _Entry], dict[str, _Entry]]:
    """Names and beginnings of names -> kind, landmark or body, rank."""
    text = (files("pipeline.landmarks") / "label_names.toml").read_text("utf-8")
    whole: dict[str, _Entry] = {}
    beginnings: dict[str, _Entry] = {}
    for kind, table in parse_toml("label_names.toml", text).items():
        assert isinstance(table, dict)
        for of, names in table.items():
            for order, name in enumerate(names):
                target = beginnings if name[-1] in "*#" else whole
                target[name.removesuffix("*")] = kind, of, order
    return whole, beginnings
