"""What sizing says of bad input: `python -m benchmarks.doctored_bodies [--data DIR] [--only ID …] [--frames N]`.

Doctors real recordings in memory, one fault at a time, for twelve adults and six children, sizes each and prints a
table: of how many people a fault was told, by what, and how many true sessions were accused or had something put right.
In pieces: `--keep FILE` adds the verdicts to a file, and the table is of all in it.
"""

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.people import everybody, session_of
from benchmarks.tables import Cell, markdown
from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.ground.body_weight import check_mass, weigh_standing
from pipeline.markers.ground_frame import ground_rotation
from pipeline.markers.static_trial import pose_static
from pipeline.markers.trajectories import trajectories
from pipeline.mechanics.bodies.poses import body_places, follow_couplings
from pipeline.osim.log import quiet
from pipeline.osim.models.default_model import model_file_of
from pipeline.records import BodyFigure, Markers, Recording
from pipeline.session.load_profile import load_profile
from pipeline.session.profile import Profile, ProfileMarker
from pipeline.session.recipe import PACKAGED_RECIPE, Recipe, load_recipe
from pipeline.session.same_person import check_subject_block
from pipeline.session.session import Subject, load_session
from pipeline.sizing.body_figures import EstimatedBody, body_figures
from pipeline.sizing.estimate_body import estimate_body
from pipeline.sizing.plausible import plausible, standing_signs, without_outlying_frames
from pipeline.sizing.scaled_tree import scaled_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A session in memory: its recordings, what it says of its person and laboratory, and the body it truly gives."""

    subject: Subject
    profile: Profile
    static: Recording
    walks: Mapping[str, Recording]
    body: EstimatedBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What refused a session (the worst first), what was said of its walks, and what was put right."""

    refused: tuple[str, ...]
    walks_refused: tuple[str, ...]
    n_walks: int
    put_right: tuple[str, ...]

    @property
    def told(self) -> str:
        """How the fault was told: "session", "walks", "put right", or "" if it was not."""
        if self.refused:
            return "session"
        if self.n_walks and len(self.walks_refused) == self.n_walks:
            return "walks"
        return "put right" if self.put_right else ""


Doctoring = Callable[[Recorded], Recorded]


class NotHere(Exception):
    """This session has nothing to doctor that way: it lacks the markers."""


def read_recorded(session_file: Path) -> Recorded:
    """A session's recordings that size its body; it has a static trial."""
    session = load_session(session_file)
    assert session.static is not None
    return Recorded(
        subject=session.subject,
        profile=load_profile(session.profile),
        static=read_c3d(session.static),
        walks={trial.name: read_c3d(trial.path) for trial in session.sizing_trials},
    )


def size(recorded: Recorded, recipe: Recipe) -> tuple[EstimatedBody | None, Verdict]:
    """The body, unless something before it fails, and the verdict."""
    settings, profile = recipe.scaling, recorded.profile
    body: EstimatedBody | None = None
    put_right: list[str] = []
    walks_refused: list[str] = []
    walks: dict[str, Markers] = {}
    try:
        check_subject_block(recorded.static, recorded.subject, settings)
        static = pose_static(recorded.static, profile, settings)
        signs = standing_signs(static, profile, recorded.subject, settings)
        refused = _refused(signs)
        if refused:
            return None, Verdict(refused=refused, walks_refused=(), n_walks=len(recorded.walks), put_right=())
        weighed = weigh_standing(static, profile, recorded.subject.mass_kg, recipe)
        if weighed:
            check_mass(recorded.static.path.name, recorded.subject.mass_kg, [weighed], recipe.ground_reactions)
        put_right += static.warnings
        for name, walk in recorded.walks.items():
            try:
                tracks = trajectories(walk, static, profile, recipe)
            except TrialRejected as rejected:
                walks_refused.append(f"{rejected.stage}: {rejected.reason}")
                continue
            put_right += [warning for warning in tracks.warnings if "exchanged" in warning]
            walks[name] = tracks.smooth.cut(tracks.window)
        body = estimate_body(
            model_file_of(None),
            profile=profile,
            subject=recorded.subject,
            standing=static.pose,
            walks=walks,
            settings=settings,
        )
        body, left_out = without_outlying_frames(body, settings)
        put_right += [f"{figure.of} is far from its place on the body" for figure in left_out]
        refused = _refused([*plausible(body, recorded.subject, settings), *body_figures(body, settings)])
    except TrialRejected as rejected:
        refused = (f"{rejected.stage}: {rejected.reason}",)
    return body, Verdict(
        refused=refused,
        walks_refused=tuple(walks_refused),
        n_walks=len(recorded.walks),
        put_right=tuple(put_right),
    )


def _refused(figures: Iterable[BodyFigure]) -> tuple[str, ...]:
    """The figures beyond their limits in words, the furthest first."""
    beyond = sorted((f for f in figures if f.refused), key=lambda f: -abs(f.value) / f.limit)
    return tuple(f"{f.figure} ({f.of}): {f.value:.3g} {f.unit}" for f in beyond)


def label_of(profile: Profile, landmark: str, side: str = "") -> str:
    """The profile's label over a landmark ("r", "l" or the middle). NotHere if it has none."""
    for label, marker in profile.markers.items():
        if marker.landmark == landmark and not marker.guide:
            right = marker.body.endswith("_r") or (not marker.body.endswith("_l") and marker.location_m[2] > 0.01)
            left = marker.body.endswith("_l") or (not marker.body.endswith("_r") and marker.location_m[2] < -0.01)
            if {"r": right, "l": left}.get(side, True):
                return label
    raise NotHere(landmark)


def exchanged(recording: Recording, first: str, second: str) -> Recording:
    """The recording with two labels exchanged. NotHere if it lacks one."""
    if not {first, second} <= set(recording.marker_labels):
        raise NotHere(f"{first} or {second}")
    columns = [recording.marker_labels.index(first), recording.marker_labels.index(second)]
    markers_m = recording.markers_m.copy()
    markers_m[:, columns] = markers_m[:, columns[::-1]]
    return replace(recording, markers_m=markers_m)


def exchange(where: str, first: tuple[str, str], second: tuple[str, str], recorded: Recorded) -> Recorded:
    """Two markers, each a landmark and its side, exchanged in the static trial, in the walks, or everywhere."""
    one, other = label_of(recorded.profile, *first), label_of(recorded.profile, *second)
    static = exchanged(recorded.static, one, other)
    walks = {name: exchanged(walk, one, other) for name, walk in recorded.walks.items()}
    return replace(
        recorded,
        static=recorded.static if where == "walks" else static,
        walks=recorded.walks if where == "static" else walks,
    )


def mirror(recorded: Recorded) -> Recorded:
    """All left and right labels of the legs exchanged in the static trial."""
    static = recorded.static
    for right, marker in recorded.profile.markers.items():
        left = ("L" + right[1:]) if right.startswith("R") else ""
        if marker.body.endswith("_r") and {left, right} <= set(static.marker_labels):
            static = exchanged(static, right, left)
    return replace(recorded, static=static)


def wrong_bone(landmark: str, bone: str, recorded: Recorded) -> Recorded:
    """A right marker that the profile puts over another landmark's bone."""
    label, model = label_of(recorded.profile, landmark, "r"), label_of(recorded.profile, bone, "r")
    if label not in recorded.static.marker_labels:
        raise NotHere(label)
    there = recorded.profile.markers[model]
    wrong = ProfileMarker.model_validate(
        recorded.profile.markers[label].model_dump()
        | {"body": there.body, "landmark": there.landmark, "location_m": there.location_m}
    )
    return replace(
        recorded, profile=recorded.profile.model_copy(update={"markers": recorded.profile.markers | {label: wrong}})
    )


def walking_static(recorded: Recorded) -> Recorded:
    """A walk as the static trial."""
    walk = next(iter(recorded.walks.values()))
    return replace(recorded, static=walk)


def one_frame_of_walk(at: str, recorded: Recorded) -> Recorded:
    """A single frame of a walk as the static trial, with no plates: where the feet are furthest apart, or pass."""
    walk = next(iter(recorded.walks.values()))
    feet = [walk.middle(foot.heel) for foot in (recorded.profile.right_foot, recorded.profile.left_foot)]
    apart = np.linalg.norm((feet[0] - feet[1])[:, :2], axis=1)
    seen = np.isfinite(walk.markers_m).all(axis=2).sum(axis=1)
    middle = np.arange(len(apart) // 4, 3 * len(apart) // 4)
    middle = middle[seen[middle] == seen[middle].max()]
    frame = int(middle[np.nanargmax(apart[middle]) if at == "step" else np.nanargmin(apart[middle])])
    one = replace(
        recorded.static,
        time_s=walk.time_s[frame : frame + 1],
        point_rate_hz=walk.point_rate_hz,
        marker_labels=walk.marker_labels,
        markers_m=walk.markers_m[frame : frame + 1],
        plates=(),
    )
    return replace(recorded, static=one)


def reposed(angles_deg: Mapping[str, float], recorded: Recorded) -> Recorded:
    """The static trial with coordinates turned further, its lowest heel on the floor. NotHere without a body."""
    body, static, markers = recorded.body, recorded.static, recorded.profile.markers
    if body is None:
        raise NotHere("a body")
    names, bodies = body.shared.names, body.shared.skeleton.bodies
    tree = scaled_tree(body.shared.skeleton.tree, body.gathered.evidence.factors(body.posterior.shape))
    before = body.posterior.poses[body.gathered.standing][:1]
    after = before.copy()
    for name, angle in angles_deg.items():
        after[:, names.index(name)] += np.radians(angle)
    follow_couplings(tree, after)
    (old, old_m), (new, new_m) = body_places(tree, before), body_places(tree, after)
    turn = ground_rotation(static, recorded.profile)
    markers_m = static.markers_m @ turn.T
    feet = (recorded.profile.right_foot, recorded.profile.left_foot)
    heels = [static.marker_labels.index(label) for foot in feet for label in foot.heel]
    lowest_m = np.nanmean(markers_m[:, heels, 1], axis=0).min()
    for column, label in enumerate(static.marker_labels):
        if label in markers:
            number = bodies.index(markers[label].body)
            local = (markers_m[:, column] - old_m[0, number]) @ old[0, number]
            markers_m[:, column] = local @ new[0, number].T + new_m[0, number]
    markers_m[..., 1] += lowest_m - np.nanmean(markers_m[:, heels, 1], axis=0).min()
    return replace(recorded, static=replace(static, markers_m=markers_m @ turn))


def toddler(recorded: Recorded) -> Recorded:
    """Everybody 0.9 m tall."""
    smaller = 0.9 / recorded.subject.height_m
    return replace(
        recorded,
        subject=recorded.subject.model_copy(update={"height_m": 0.9, "mass_kg": 13.0}),
        static=replace(_unstated(recorded.static), markers_m=recorded.static.markers_m * smaller, plates=()),
        walks={n: replace(_unstated(w), markers_m=w.markers_m * smaller) for n, w in recorded.walks.items()},
    )


def another_height(by_m: float, recorded: Recorded) -> Recorded:
    """session.toml's height wrong, and the files say nothing of it."""
    height_m = recorded.subject.height_m + by_m
    subject = recorded.subject.model_copy(update={"height_m": height_m})
    return replace(recorded, subject=subject, static=_unstated(recorded.static))


def _unstated(recording: Recording) -> Recording:
    return replace(recording, subject=replace(recording.subject, mass_kg=None, height_m=None))


def another_unit(times: float, recorded: Recorded) -> Recorded:
    """session.toml's height in another unit, as its reader sees it."""
    try:
        Subject.model_validate(recorded.subject.model_dump() | {"height_m": recorded.subject.height_m * times})
    except ValueError as error:
        raise TrialRejected("session", str(error)) from error
    return another_height(recorded.subject.height_m * (times - 1), recorded)


def missing(segment: str, where: str, recorded: Recorded) -> Recorded:
    """All markers of a segment hidden in the static trial, in the walks, or everywhere."""
    labels = {label for label, marker in recorded.profile.markers.items() if marker.body == segment}

    def hidden(recording: Recording) -> Recording:
        markers_m = recording.markers_m.copy()
        markers_m[:, [label in labels for label in recording.marker_labels]] = np.nan
        return replace(recording, markers_m=markers_m)

    static = hidden(recorded.static) if where != "walks" else recorded.static
    walks = {n: hidden(w) for n, w in recorded.walks.items()} if where != "static" else recorded.walks
    return replace(recorded, static=static, walks=walks)


def misplaced(landmark: str, by_m: float, where: str, recorded: Recorded) -> Recorded:
    """A right leg's marker further up in the static trial, everywhere, or in a fifth of the walks' frames."""
    label = label_of(recorded.profile, landmark, "r")
    if label not in recorded.static.marker_labels:
        raise NotHere(label)

    def lifted(recording: Recording, frames: slice) -> Recording:
        markers_m = recording.markers_m.copy()
        markers_m[frames, recording.marker_labels.index(label)] += (
            by_m * ground_rotation(recording, recorded.profile)[1]
        )
        return replace(recording, markers_m=markers_m)

    def fifth(recording: Recording) -> slice:
        n = len(recording.time_s)
        return slice(2 * n // 5, 3 * n // 5)

    static = lifted(recorded.static, slice(None)) if where in ("static", "everywhere") else recorded.static
    walks = dict(recorded.walks)
    if where != "static":
        walks = {n: lifted(w, slice(None) if where == "everywhere" else fifth(w)) for n, w in walks.items()}
    return replace(recorded, static=static, walks=walks)


_SQUAT = {
    "hip_flexion_r": 25,
    "hip_flexion_l": 25,
    "knee_angle_r": 40,
    "knee_angle_l": 40,
    "ankle_angle_r": 15,
    "ankle_angle_l": 15,
}
_LIFT = {"hip_flexion_r": 25, "knee_angle_r": 50}
_SIDES = {
    "knees": (("lateral_femoral_epicondyle", "r"), ("lateral_femoral_epicondyle", "l")),
    "ankles": (("lateral_malleolus", "r"), ("lateral_malleolus", "l")),
    "iliac spines": (("anterior_superior_iliac_spine", "r"), ("anterior_superior_iliac_spine", "l")),
    "heels": (("heel", "r"), ("heel", "l")),
}
_NEIGHBOURS = {
    "knee and ankle": (("lateral_femoral_epicondyle", "r"), ("lateral_malleolus", "r")),
    "both sides of a knee": (("lateral_femoral_epicondyle", "r"), ("medial_femoral_epicondyle", "r")),
    "heel and toe": (("heel", "r"), ("second_metatarsal_head", "r")),
    "fibular head and tuberosity": (("fibular_head", "r"), ("tibial_tuberosity", "r")),
    "jugular notch and xiphoid": (("jugular_notch", ""), ("xiphoid_process", "")),
    "front and back iliac spine": (("anterior_superior_iliac_spine", "r"), ("posterior_superior_iliac_spine", "r")),
}
TRUE = "none"
FAULTS: dict[str, Doctoring] = {
    TRUE: lambda recorded: recorded,
    **{
        f"{where}: exchanged {name}, right and left": partial(exchange, where, *pair)
        for where in ("static", "walks")
        for name, pair in _SIDES.items()
    },
    **{
        f"{where}: exchanged {name}": partial(exchange, where, *pair)
        for where in ("static", "everywhere")
        for name, pair in _NEIGHBOURS.items()
    },
    "static: left leg named right": mirror,
    "profile: epicondyle on the shank": partial(wrong_bone, "lateral_femoral_epicondyle", "lateral_malleolus"),
    "profile: malleolus on the foot": partial(wrong_bone, "lateral_malleolus", "heel"),
    "profile: toe on the shank": partial(wrong_bone, "second_metatarsal_head", "lateral_malleolus"),
    "static: a walk": walking_static,
    "static: one frame, long step": partial(one_frame_of_walk, "step"),
    "static: one frame, feet passing": partial(one_frame_of_walk, "pass"),
    "static: crouching": partial(reposed, _SQUAT),
    "static: right foot off the ground": partial(reposed, _LIFT),
    "a child of 0.9 m": toddler,
    "height + 10 cm": partial(another_height, 0.1),
    "height − 10 cm": partial(another_height, -0.1),
    "height in centimetres": partial(another_unit, 100),
    "height in millimetres": partial(another_unit, 1000),
    **{
        f"{where}: no marker of a shank": partial(missing, "tibia_r", where)
        for where in ("static", "walks", "everywhere")
    },
    **{f"{where}: no marker of the pelvis": partial(missing, "pelvis", where) for where in ("static", "walks")},
    "static: no marker of the trunk": partial(missing, "torso", "static"),
    "static: malleolus 5 cm up": partial(misplaced, "lateral_malleolus", 0.05, "static"),
    "everywhere: malleolus 5 cm up": partial(misplaced, "lateral_malleolus", 0.05, "everywhere"),
    "everywhere: epicondyle 4 cm up": partial(misplaced, "lateral_femoral_epicondyle", 0.04, "everywhere"),
    "walks: epicondyle 8 cm up, now and then": partial(misplaced, "lateral_femoral_epicondyle", 0.08, "now and then"),
}


def verdicts(recorded: Recorded, recipe: Recipe, faults: Mapping[str, Doctoring]) -> Iterator[tuple[str, Verdict]]:
    """What each fault made of one session that is true otherwise; faults that it can't have are left out."""
    true, as_recorded = size(recorded, recipe)
    recorded = replace(recorded, body=true)
    known = {_pair_of(warning) for warning in as_recorded.put_right}
    for name, doctor in faults.items():
        try:
            _, verdict = size(doctor(recorded), recipe)
        except NotHere:
            continue
        except TrialRejected as rejected:
            reason = (f"{rejected.stage}: {rejected.reason}",)
            verdict = Verdict(refused=reason, walks_refused=(), n_walks=len(recorded.walks), put_right=())
        if name != TRUE:
            # What is wrong with this recording anyhow doesn't tell what was done to it.
            new = tuple(warning for warning in verdict.put_right if _pair_of(warning) not in known)
            verdict = replace(verdict, put_right=new)
        yield name, verdict


def _pair_of(warning: str) -> str:
    """The markers that a warning is of."""
    return warning.split(" were exchanged")[0].split(" is far from")[0].split(": ")[-1]


def main() -> None:
    arguments = _arguments()
    quiet()
    recipe = load_recipe(arguments.recipe)
    scaling = recipe.scaling.model_copy(update={"walking_frames": arguments.frames})
    recipe = recipe.model_copy(update={"scaling": scaling})
    faults = {
        name: fault
        for name, fault in FAULTS.items()
        if not arguments.faults or any(f in name for f in arguments.faults)
    }
    found: dict[str, list[Verdict]] = {name: [] for name in faults}
    if arguments.keep and arguments.keep.exists():
        for line in arguments.keep.read_text("utf-8").splitlines():
            row = json.loads(line)
            verdict = Verdict(
                refused=tuple(row["refused"]),
                walks_refused=tuple(row["walks_refused"]),
                n_walks=row["n_walks"],
                put_right=tuple(row["put_right"]),
            )
            found.setdefault(row["fault"], []).append(verdict)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        for person in everybody(arguments.data):
            if arguments.only and person.facts.id not in arguments.only:
                continue
            for name, verdict in verdicts(read_recorded(session_of(person, Path(directory))), recipe, faults):
                found[name].append(verdict)
                if arguments.keep:
                    with arguments.keep.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"fault": name, **asdict(verdict)}) + "\n")
                said = verdict.refused or verdict.walks_refused or verdict.put_right
                print(f"{person.facts.id}: {name}: {verdict.told or 'not told'}: {' | '.join(said)[:300]}", flush=True)
    print(power_table(found))


def power_table(found: Mapping[str, list[Verdict]]) -> str:
    """How many people's faults were told, how, and by which figure or stage first."""
    rows: list[list[Cell]] = []
    for name, all_verdicts in found.items():
        how = Counter(verdict.told for verdict in all_verdicts)
        first = Counter(
            (v.refused or v.walks_refused)[0].split(":")[0].split(" (")[0]
            for v in all_verdicts
            if v.told not in ("", "put right")
        )
        rows.append(
            [
                name,
                float(len(all_verdicts)),
                float(len(all_verdicts) - how[""]),
                float(how["session"]),
                float(how["walks"]),
                float(how["put right"]),
                ", ".join(f"{figure} {count}" for figure, count in first.most_common(3)),
            ]
        )
    head = ("fault", "people", "told", "session refused", "its walks refused", "put right", "told first by")
    return markdown(head, rows, (0, 0, 0, 0, 0, 0, 0))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")))
    parser.add_argument("--recipe", default=PACKAGED_RECIPE)
    parser.add_argument("--only", nargs="*", metavar="ID", help="these people")
    parser.add_argument("--faults", nargs="*", metavar="TEXT", help="faults whose names hold this")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="add verdicts to this file; the table is of all in it"
    )
    parser.add_argument("--frames", type=int, default=20, help="frames of walks that size a body")
    return parser.parse_args()


if __name__ == "__main__":
    main()
