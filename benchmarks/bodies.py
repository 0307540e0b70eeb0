"""Are the bodies right? `python -m benchmarks.bodies FOLDER [--versus FOLDER2] [--png DIR]`.

FOLDER is what `python -m benchmarks.people FOLDER` made. What sizing is judged by, from markers and solved walks alone,
in the same way however the body was sized: a row a person, then each cohort's mean, standard deviation and largest.
Walks that the trial's gates rejected are solved too, if they can be. `--png DIR` draws hip flexion and pelvis tilt.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from benchmarks.solved_walks import SizedPerson, SolvedWalk, sized_people, solved_walks, versus_parser
from benchmarks.tables import Cell, markdown, number, summary_rows
from pipeline.errors import TrialRejected
from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.engines import load_engine
from pipeline.osim.log import quiet
from pipeline.records import SIDES, Coordinates, Markers
from pipeline.session.profile import Pelvis, Profile
from pipeline.solving.quality import RESIDUAL_FORCES
from pipeline.solving.solve import joint_kinematics
from warehouse.files import read
from warehouse.layout import Warehouse

# How far the line from posterior to anterior iliac spines falls in the model's own pelvis bone at zero tilt.
BONE_SLOPE_DEG = 12.0
# A coordinate this near an end of its range is on its stop.
NEAR_STOP_DEG = 1.0
COLUMNS = 6
# What is drawn, and its limits in degrees.
DRAWN = {"hip flexion": (-45, 50), "pelvis tilt": (-25, 35)}
SCALED = ("pelvis", "femur_r", "tibia_r", "calcn_r", "torso")
HEAD = (
    "person", "walks accepted", "leans back, standing, °", "walking, °", "lumbar extension, °", "on hip's stop, %",
    "hip centre right, mm", "left, mm", "marker RMS, mm", "residual force, % BW",
    *(f"{body} {axes}" for body in SCALED for axes in ("length", "breadth")),
)  # fmt: skip
DIGITS = (0, 0, 1, 1, 1, 1, 0, 0, 1, 1, *[2] * (2 * len(SCALED)))
# Which axes of a body are its breadth; the other one is its length.
LENGTH = {"pelvis": "z", "femur_r": "y", "tibia_r": "y", "calcn_r": "x", "torso": "y"}


@dataclass(frozen=True, kw_only=True)
class WalkPosture:
    """One walk's figures. curves: by what is drawn, a list of (share of the stride, degrees) over legs."""

    condition: str
    leans_back_deg: float
    lumbar_deg: float
    on_stop: float
    hip_centre_mm: tuple[float, float]
    marker_rms_mm: float
    residual_force: float
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True, kw_only=True)
class PersonBody:
    """A person's figures, and their walks'."""

    cohort: str
    name: str
    accepted: int
    recorded: int
    standing_deg: float
    scales: dict[str, float]
    walks: tuple[WalkPosture, ...]


def main() -> None:
    arguments = _arguments()
    quiet()
    before = list(bodies(arguments.folder, arguments.recipe, arguments.only))
    print(body_table(before))
    after = list(bodies(arguments.versus, arguments.recipe, arguments.only)) if arguments.versus else []
    if after:
        print("\n" + change_table(before, after))
    if arguments.png:
        arguments.png.mkdir(parents=True, exist_ok=True)
        for name, people in (("before", before), ("after", after)):
            for cohort in dict.fromkeys(person.cohort for person in people):
                draw_people([p for p in people if p.cohort == cohort], arguments.png / f"{cohort}_{name}.png")


def bodies(folder: Path, recipe: str, only: Sequence[str]) -> Iterator[PersonBody]:
    """Everybody whose body was sized."""
    warehouse = Warehouse(str((folder / "warehouse").absolute()))
    outcomes = [(account.identity, account.summary["outcome"]) for account in read.trials(warehouse)]
    for person in sized_people(folder, recipe, only):
        key = person.setup.session.key
        own = [outcome for identity, outcome in outcomes if identity["subject"] == key.subject]
        table = read.read_table(warehouse, "scaling", key).to_pylist()
        yield PersonBody(
            cohort=person.cohort,
            name=person.name,
            accepted=own.count("accepted"),
            recorded=len(person.setup.session.trials),
            standing_deg=standing_lean_deg(person),
            scales=scales_of({row["body"]: [row[f"scale_{axis}"] for axis in "xyz"] for row in table}),
            walks=tuple(posture(walk) for walk in solved_walks(person)),
        )


def scales_of(factors: dict[str, list[float]]) -> dict[str, float]:
    """Each body's factor along its length, and the mean of the other two, its breadth."""
    found = {}
    for body in SCALED:
        along = "xyz".index(LENGTH[body])
        found[f"{body} length"] = factors[body][along]
        found[f"{body} breadth"] = float(np.mean([factors[body][axis] for axis in range(3) if axis != along]))
    return found


def standing_lean_deg(person: SizedPerson) -> float:
    """How far the pelvis leans back in the static trial; NaN if the body can't be posed on its markers."""
    setup = person.setup
    pose = person.static.pose
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        try:
            engine = load_engine(setup.recipe.model.engine)
            fit = joint_kinematics(engine, person.model, pose, setup.profile, setup.recipe, Path(directory))
        except TrialRejected:
            return float("nan")
    return float(leans_back_deg(fit.coordinates, pose, setup.profile.pelvis).mean())


def leans_back_deg(coordinates: Coordinates, markers: Markers, pelvis: Pelvis) -> np.ndarray:
    """How much further back than its markers say the model's pelvis leans, (T,) degrees.

    The markers say by how much the line from posterior to anterior spines falls beyond `BONE_SLOPE_DEG`.
    """
    front, back = spines(markers, pelvis)
    line = front - back
    falls = np.degrees(np.arctan2(-line[:, 1], np.linalg.norm(line[:, [0, 2]], axis=1)))
    # The model's tilt is positive backwards.
    tilt: np.ndarray = np.degrees(coordinates.column("pelvis_tilt")) + falls - BONE_SLOPE_DEG
    return tilt


def spines(markers: Markers, pelvis: Pelvis) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the anterior and the posterior iliac spines, (T, 3) each."""
    front = (markers.marker(pelvis.right_anterior) + markers.marker(pelvis.left_anterior)) / 2
    back = [markers.marker(label) for label in pelvis.posterior if label in markers.labels]
    # A sacral marker lies between the two others, where there are any.
    pair = back[-2:] if len(back) >= 2 else back
    return front, np.mean(pair, axis=0)


def harrington_centres(markers: Markers, pelvis: Pelvis) -> np.ndarray:
    """Hip centres by Harrington et al. (2007, J Biomech 40:595), right and left, (2, T, 3), in the markers' frame.

    From the pelvis's width between anterior spines and its depth from their middle to the posterior ones'.
    """
    front, back = spines(markers, pelvis)
    across = markers.marker(pelvis.right_anterior) - markers.marker(pelvis.left_anterior)
    width = np.linalg.norm(across, axis=1, keepdims=True)
    right = across / width
    depth = np.linalg.norm(front - back, axis=1, keepdims=True)
    forward = front - back
    forward = forward - right * (forward * right).sum(axis=1, keepdims=True)
    forward = forward / np.linalg.norm(forward, axis=1, keepdims=True)
    up = np.cross(right, forward)
    middle = front + (-0.24 * depth - 0.0099) * forward + (-0.30 * width - 0.0109) * up
    aside = (0.33 * width + 0.0073) * right
    return np.stack([middle + aside, middle - aside])


def posture(walk: SolvedWalk) -> WalkPosture:
    """A walk's figures, over the frames of its strides; residuals where both feet's forces are known."""
    solution, profile = walk.solution, walk.person.setup.profile
    frames = walk.observed.frames
    coordinates, markers = solution.kinematics.coordinates.cut(frames), walk.observed.markers.cut(frames)
    known = np.logical_and(*(walk.observed.wrenches[side].known for side in SIDES))
    forces_n = np.stack([solution.moments.column(name)[known] for name in RESIDUAL_FORCES])
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {what: [] for what in DRAWN}
    stops = []
    for stride in walk.observed.strides:
        during = (walk.phase(stride) >= 0) & (walk.phase(stride) < 1)
        for what, name in (("hip flexion", f"hip_flexion_{stride.side[0]}"), ("pelvis tilt", "pelvis_tilt")):
            curves[what].append((walk.phase(stride)[during], np.degrees(coordinates.column(name)[during])))
        stops.append(_share_on_stop(walk, f"hip_flexion_{stride.side[0]}", coordinates, during))
    return WalkPosture(
        condition=walk.condition,
        leans_back_deg=float(np.nanmean(leans_back_deg(coordinates, markers, profile.pelvis))),
        lumbar_deg=float(np.degrees(coordinates.column("lumbar_extension")).mean()),
        on_stop=100 * float(np.mean(stops)),
        hip_centre_mm=_hip_centres_apart_mm(walk, coordinates, markers, profile),
        marker_rms_mm=1e3 * float(np.nanmedian(solution.kinematics.marker_rms_m)),
        residual_force=100 * float(np.sqrt((forces_n**2).sum(axis=0).mean())) / walk.person.weight_n
        if known.any()
        else float("nan"),
        curves=curves,
    )


def _share_on_stop(walk: SolvedWalk, name: str, coordinates: Coordinates, during: np.ndarray) -> float:
    skeleton = walk.person.shared.skeleton
    place = skeleton.coordinates.index(name)
    return near_an_end(
        np.degrees(coordinates.column(name)[during]),
        float(np.degrees(skeleton.low[place])),
        float(np.degrees(skeleton.high[place])),
    )


def near_an_end(angles_deg: np.ndarray, low_deg: float, high_deg: float) -> float:
    """The share of angles (T,) within `NEAR_STOP_DEG` of either end of their range, which may be infinite."""
    near = (angles_deg <= low_deg + NEAR_STOP_DEG) | (angles_deg >= high_deg - NEAR_STOP_DEG)
    return float(near.mean())


def _hip_centres_apart_mm(
    walk: SolvedWalk, coordinates: Coordinates, markers: Markers, profile: Profile
) -> tuple[float, float]:
    """How far the model's hip centres lie from Harrington's, right and left, by their mean place in the pelvis."""
    shared = walk.person.shared
    values = coordinates.values[:, [coordinates.names.index(name) for name in shared.names]]
    rotation, origin_m = body_places(shared.skeleton.tree, values)
    pelvis = rotation[:, shared.skeleton.bodies.index("pelvis")]
    apart = []
    for side, regressed in zip(SIDES, harrington_centres(markers, profile.pelvis), strict=True):
        # The thigh's origin is the hip's centre.
        centre = origin_m[:, shared.skeleton.bodies.index(f"femur_{side[0]}")]
        in_pelvis = np.einsum("tji,tj->ti", pelvis, centre - regressed)
        apart.append(1e3 * float(np.linalg.norm(np.nanmean(in_pelvis, axis=0))))
    return apart[0], apart[1]


def body_table(people: Sequence[PersonBody]) -> str:
    """A row a person, then each cohort's summary."""
    rows: list[list[Cell]] = []
    for cohort in dict.fromkeys(person.cohort for person in people):
        group = [person for person in people if person.cohort == cohort]
        own = [body_row(person) for person in group]
        summary = summary_rows(f"{cohort} ({len(own)})", own)
        summary[0][1] = accepted_of(group)
        rows += own + summary
    return markdown(HEAD, rows, DIGITS)


def change_table(before: Sequence[PersonBody], after: Sequence[PersonBody]) -> str:
    """A row a person that both have, `before → after`, then each cohort's means."""
    old, new = ({person.name: body_row(person) for person in people} for people in (before, after))
    cohorts = {person.name: person.cohort for person in before}
    rows: list[list[Cell]] = [
        [name, *(_arrow(one, other, places) for one, other, places in _cells(old[name], new[name]))]
        for name in old
        if name in new
    ]
    for cohort in dict.fromkeys(cohorts.values()):
        both = [name for name in old if name in new and cohorts[name] == cohort]
        means = [summary_rows(cohort, [part[name] for name in both])[0] for part in (old, new)] if both else []
        if means:
            totals = [accepted_of([p for p in people if p.name in both]) for people in (before, after)]
            rows.append(
                [
                    f"{cohort}: mean",
                    " → ".join(totals),
                    *(_arrow(one, other, p) for one, other, p in _cells(*means)[1:]),
                ]
            )
    return markdown(HEAD, rows, DIGITS)


def _cells(one: Sequence[Cell], other: Sequence[Cell]) -> list[tuple[Cell, Cell, int]]:
    return list(zip(one[1:], other[1:], DIGITS[1:], strict=True))


def _arrow(one: Cell, other: Cell, places: int) -> str:
    if isinstance(one, str) or isinstance(other, str):
        return f"{one} → {other}"
    return f"{number(one, places)} → {number(other, places)}"


def body_row(person: PersonBody) -> list[Cell]:
    """A person's cells: means over walks; the share on the stop and the residual too. NaN without a solved walk."""

    def mean(values: list[float]) -> float:
        return float(np.nanmean(values)) if values else float("nan")

    walks = person.walks
    return [
        person.name,
        accepted_of([person]),
        person.standing_deg,
        mean([walk.leans_back_deg for walk in walks]),
        mean([walk.lumbar_deg for walk in walks]),
        mean([walk.on_stop for walk in walks]),
        mean([walk.hip_centre_mm[0] for walk in walks]),
        mean([walk.hip_centre_mm[1] for walk in walks]),
        mean([walk.marker_rms_mm for walk in walks]),
        mean([walk.residual_force for walk in walks]),
        *(person.scales[f"{body} {what}"] for body in SCALED for what in ("length", "breadth")),
    ]


def accepted_of(people: Sequence[PersonBody]) -> str:
    """How many walks were accepted, of how many recorded."""
    return f"{sum(person.accepted for person in people)} of {sum(person.recorded for person in people)}"


def draw_people(people: Sequence[PersonBody], file: Path) -> None:
    """Hip flexion and below it pelvis tilt over the stride, a column a person, so many columns in a row."""
    blocks = [people[first : first + COLUMNS] for first in range(0, len(people), COLUMNS)]
    figure, axes = plt.subplots(
        2 * len(blocks), COLUMNS, figsize=(13, 4.4 * len(blocks)), sharex=True, layout="constrained", squeeze=False
    )
    for axis in axes.flat:
        axis.set_visible(False)
    for block, panels in enumerate(blocks):
        for column, person in enumerate(panels):
            for row, (what, limits) in enumerate(DRAWN.items()):
                axis = axes[2 * block + row][column]
                axis.set_visible(True)
                axis.set_ylim(*limits)
                axis.set_title(f"{person.name}: {what}, °", fontsize=9)
                _draw(axis, person, what)
    figure.savefig(file, dpi=70)
    plt.close(figure)


def _draw(axis: Axes, person: PersonBody, what: str) -> None:
    for walk in person.walks:
        colour = "#c0392b" if walk.condition == "fast" else "#1b6ca8"
        for phase, degrees in walk.curves[what]:
            axis.plot(100 * phase, degrees, color=colour, linewidth=1)
    axis.axhline(-30 if what == "hip flexion" else 0, color="0.6", linewidth=0.8, linestyle=":")
    axis.spines[["top", "right"]].set_visible(False)


def _arguments() -> argparse.Namespace:
    parser = versus_parser(__doc__)
    parser.add_argument("--png", type=Path, metavar="DIR", help="draw hip flexion and pelvis tilt there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
