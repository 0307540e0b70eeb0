"""A laboratory's profile, proposed from its recordings: what labels mean, and where the motion puts the rest."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.landmarks.bony_places import landmarks
from pipeline.landmarks.recognise import Place, Reading, read_labels
from pipeline.landmarks.rigidity import bodies_by_motion
from pipeline.records import Recording
from pipeline.session.labelled_profile import LabelledProfile, profile_from_labels
from pipeline.session.profile import Profile
from pipeline.session.standing import shown_labels

# The segments that hip and knee angles need, in words.
_SEGMENTS = {"pelvis": "pelvis", "femur": "thigh", "tibia": "shank", "calcn": "foot"}
_SIDES = {"r": "right", "l": "left"}
_LINE_LENGTH = 110
_NAMED_AT_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedProfile:
    """A profile, what its labels mean, and what remains to be done.

    by_motion: label -> body that the motion told. undetermined: what these markers don't tell, in sentences.
    missing: why the profile can't be used yet, "" if it can.
    """

    labelled: LabelledProfile
    reading: Reading
    by_motion: Mapping[str, str]
    undetermined: tuple[str, ...]
    missing: str

    @property
    def profile(self) -> Profile:
        """The whole profile. ValueError if something is missing."""
        return profile_from_labels(self.labelled)


def propose_profile(name: str, recordings: Sequence[Recording]) -> ProposedProfile:
    """What a static trial and walks tell of a laboratory's marker set; the first is the static one, if there are more.

    Names go before motion: a label that the library knows is not asked about.
    """
    shown = [shown_labels(recording) for recording in recordings]
    labels = list(dict.fromkeys(label for each in shown for label in each))
    read = read_labels(labels)
    told: dict[str, str] = {}
    for recording in recordings:
        paths = {label: recording.marker(label) for label in shown_labels(recording)}
        for label, body in bodies_by_motion(paths, read.places, read.unknown).items():
            told.setdefault(label, body)
    technical: dict[str, tuple[str, ...]] = {}
    for label, body in told.items():
        technical[body] = (*technical.get(body, ()), label)
    placed = [label for label in labels if label in read.places or label in told]
    walking = set.intersection(*map(set, shown[1:] or shown))
    labelled = LabelledProfile(
        name=name,
        description="proposed from recordings",
        labels=tuple(placed),
        standing_only=tuple(label for label in labels if label in placed and label not in walking),
        technical=technical,
    )
    missing = ""
    try:
        profile_from_labels(labelled)
    except ValueError as error:
        missing = str(error)
    return ProposedProfile(
        labelled=labelled,
        reading=read,
        by_motion=told,
        undetermined=tuple(_undetermined(read.places, told, shown)),
        missing=missing,
    )


def profile_text(proposed: ProposedProfile) -> str:
    """The profile's file: TOML with comments, which `load_profile` reads."""
    labelled, read = proposed.labelled, proposed.reading
    assert labelled.labels is not None
    lines = [
        "# How one laboratory works: its marker labels. What they mean is in gait2hip's library of landmarks, which",
        "# knows what isn't said here. docs/laboratories.md explains the entries.",
        f"name = {json.dumps(labelled.name)}",
        f"description = {json.dumps(labelled.description)}",
        'up = "plates"  # the plates\' normal; or an axis: "+z"',
        'forward = "pelvis"  # the way the pelvis travels, or faces when it stands; or an axis: "+x"',
        "",
        "labels = [",
        *_wrapped(json.dumps(label) for label in labelled.labels),
        "]",
    ]
    if labelled.standing_only:
        lines += ["# Taken off after the static trial.", "standing_only = ["]
        lines += [*_wrapped(json.dumps(label) for label in labelled.standing_only), "]"]
    unknown = [label for label in read.unknown if label not in proposed.by_motion]
    if unknown:
        lines += ["", f"# Not recognised, and not used: {', '.join(unknown)}"]
    lines += ["", "# What names don't tell, or tell wrongly: label = landmark and side.", "[landmarks]"]
    lines += [f'# {json.dumps(label)} = "heel_r"' for label in unknown[:3]]
    lines += ["", "# Markers anywhere on a body.", "[technical]"]
    lines += [f"{body} = [{', '.join(map(json.dumps, on_it))}]" for body, on_it in labelled.technical.items()]
    return "\n".join(lines) + "\n"


def proposal_in_words(proposed: ProposedProfile) -> str:
    """What was recognised as what, what the motion told, what is unknown and what stays undetermined."""
    read = proposed.reading
    over_bone = {label: place for label, place in read.places.items() if place.landmark}
    lines = [f"{len(over_bone)} markers over landmarks:"]
    for landmark in landmarks():
        found = [
            f"{label} ({_SIDES.get(p.side, 'middle')})" for label, p in over_bone.items() if p.landmark == landmark
        ]
        if found:
            lines.append(f"  {landmark.replace('_', ' ')}: {', '.join(found)}")
    technical = {label: place.body for label, place in read.places.items() if not place.landmark}
    lines.append(f"{len(technical)} technical markers by name{_on_bodies(technical)}")
    lines.append(f"{len(proposed.by_motion)} by their motion{_on_bodies(proposed.by_motion)}")
    unknown = [label for label in read.unknown if label not in proposed.by_motion]
    if unknown:
        lines.append(f"{len(unknown)} not recognised, and not used: {', '.join(unknown)}")
    lines += [
        f"not used, {what}: {_some([label for label, is_a in read.unused.items() if is_a == what])}"
        for what in dict.fromkeys(read.unused.values())
    ]
    lines += [f"undetermined: {sentence}" for sentence in proposed.undetermined]
    if proposed.missing:
        lines.append(f"not complete: {proposed.missing}")
    return "\n".join(lines)


def told_labels(proposed: ProposedProfile) -> list[tuple[str, str, str]]:
    """Every label, what it was taken for, and by what."""
    read, rows = proposed.reading, []
    for label, place in read.places.items():
        side = _SIDES.get(place.side, "")
        what = f"{side} {place.landmark.replace('_', ' ')}".strip() if place.landmark else f"technical, on {place.body}"
        rows.append((label, what, "name"))
    rows += [(label, f"technical, on {body}", "motion") for label, body in proposed.by_motion.items()]
    rows += [(label, "not recognised, not used", "") for label in read.unknown if label not in proposed.by_motion]
    rows += [(label, f"not used: {what}", "name") for label, what in read.unused.items()]
    return rows


def _some(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _NAMED_AT_MOST} more" if len(labels) > _NAMED_AT_MOST else ""
    return ", ".join(labels[:_NAMED_AT_MOST]) + more


def _on_bodies(bodies: Mapping[str, str]) -> str:
    by_body: dict[str, list[str]] = {}
    for label, body in bodies.items():
        by_body.setdefault(body, []).append(label)
    told = "; ".join(f"{body}: {', '.join(on_it)}" for body, on_it in by_body.items())
    return f": {told}" if told else ""


def _undetermined(
    places: Mapping[str, Place], told: Mapping[str, str], shown: Sequence[Sequence[str]]
) -> Iterable[str]:
    """What the markers of all recordings leave to what is known of people in general."""
    on = {label: place.body for label, place in places.items()} | dict(told)
    in_all = set.intersection(*map(set, shown)) if shown else set()
    over = {(place.landmark, place.side) for place in places.values()}
    for segment, name in _SEGMENTS.items():
        for body in (segment,) if segment == "pelvis" else (f"{segment}_r", f"{segment}_l"):
            count = sum(1 for label in in_all if on.get(label) == body)
            side = f"{_SIDES[body[-1]]} " if body != "pelvis" else ""
            if count < (3 if segment == "pelvis" else 2):
                yield (
                    f"the {side}{name} has {count or 'no'} marker{'s' * (count != 1)} in every recording: its turn "
                    "about its own axis is told by its neighbours alone."
                )
    for side, word in _SIDES.items():
        if ("medial_femoral_epicondyle", side) not in over:
            yield f"no marker tells the {word} knee's axis from the medial side: it follows from the shank's markers."
        if ("medial_malleolus", side) not in over:
            yield f"no marker tells the {word} ankle's axis from the medial side: it follows from the foot's markers."
    if "torso" not in on.values():
        yield "no marker is on the trunk: it stays upright over the pelvis, and residuals are larger."
    if not any(body.startswith(("humerus", "ulna", "radius")) for body in on.values()):
        yield "no marker is on the arms: they hang, and residuals are larger."


def _wrapped(items: Iterable[str]) -> list[str]:
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > _LINE_LENGTH:
            lines.append(line)
            line = "   "
        line += f" {item},"
    return [*lines, line]
