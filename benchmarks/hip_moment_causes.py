"""Why hip moments differ from a laboratory's own: `python -m benchmarks.hip_moment_causes FOLDER [--only ID ...]`.

FOLDER is what `python -m benchmarks.people FOLDER` made. Walks whose recordings hold Plug-in Gait's moments and the
frames of its segments are taken. Our moment is changed into the laboratory's one difference at a time, then one after
the other: theirs are filtered as ours; ours are taken about its hip centre; along its thigh's axes; with the masses of
leg segments by Dempster, as Winter (2009, Biomechanics and Motor Control of Human Movement, table 4.1) has them.
Last: what the ground's force alone would give, legs without weight and inertia. Then how far apart both hips lie, and
how much the laboratory's knee adduction varies: a knee's axis that is turned shows its flexion as adduction (Baker et
al. 1999, Hum Mov Sci 18:655).

Plates' timing isn't among these: both take the same forces at the same times. Shapes: T frames, B bodies.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.laboratory_moments import (
    COMPARED,
    JUDGED,
    LARGEST_RMS_NM_KG,
    LEAST_FORCE_N_KG,
    LEAST_R,
    TO_OURS,
    Agreement,
    agreement,
    along_thigh,
    body_frames,
    scale_factors,
)
from benchmarks.laboratory_outputs import ending_of, laboratory_frame, laboratory_point
from benchmarks.solved_walks import people_parser
from benchmarks.tables import Cell, markdown
from benchmarks.walk_dynamics import DynamicWalk, dynamic_walks
from pipeline.anatomy.segment_frames import angles_between
from pipeline.ground.cycles import Stride
from pipeline.markers.ground_frame import ground_rotation
from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.newton_euler import needed
from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.ground_wrenches import bodies_pushed, wrenches_about_origin
from pipeline.osim.log import quiet
from pipeline.osim.models.shared_model import shared_model
from pipeline.osim.motion import differentiated
from pipeline.records import SIDES, Side
from pipeline.signals import low_pass
from pipeline.solving.solve import foot_bodies
from warehouse.layout import Warehouse

# Bodies of a leg's segments, and the share of the body's mass that each segment has by Dempster.
DEMPSTER: dict[tuple[str, ...], float] = {
    ("femur", "patella"): 0.100,
    ("tibia",): 0.0465,
    ("talus", "calcn", "toes"): 0.0145,
}
AS_STORED = "as stored"
FILTER, CENTRE, AXES, MASSES = (
    "theirs filtered as ours",
    "about their hip centre",
    "along their axes",
    "Dempster's masses",
)
DIFFERENCES = (FILTER, CENTRE, AXES, MASSES)
GROUND_ALONE = "the ground's force alone"


@dataclass(frozen=True, kw_only=True)
class Hip:
    """One leg's hip in a walk, all in the ground's frame, over the observed frames.

    wrench, wrench_dempster and wrench_still (T, 6): what the pelvis exerts on the thigh, a moment about the ground's
    origin and a force: with our masses, with Dempster's, and without any. centre_m (T, 3) and thigh (T, 3, 3), ours
    and theirs. theirs, theirs_filtered (T, 3): flexion, adduction and rotation in N·m/kg and our signs. Angles (T,).
    """

    side: Side
    mass_kg: float
    wrench: np.ndarray
    wrench_dempster: np.ndarray
    wrench_still: np.ndarray
    centre_m: np.ndarray
    thigh: np.ndarray
    their_centre_m: np.ndarray
    their_thigh: np.ndarray
    theirs: np.ndarray
    theirs_filtered: np.ndarray
    their_knee_adduction_deg: np.ndarray

    def ours(self, changed: Sequence[str]) -> np.ndarray:
        """Our moment (T, 3), N·m/kg, with some of `DIFFERENCES` made the laboratory's."""
        wrench = self.wrench_dempster if MASSES in changed else self.wrench
        wrench = self.wrench_still if GROUND_ALONE in changed else wrench
        centre_m = self.their_centre_m if CENTRE in changed else self.centre_m
        thigh = self.their_thigh if AXES in changed else self.thigh
        vector = wrench[:, :3] - np.cross(centre_m, wrench[:, 3:])
        return np.stack(along_thigh(vector, thigh, self.side), axis=1) / self.mass_kg

    def compared(self, person: str, changed: Sequence[str], frames: np.ndarray) -> list[Agreement]:
        """The judged moments' figures over some frames (T,)."""
        ours, theirs = self.ours(changed), self.theirs_filtered if FILTER in changed else self.theirs
        columns = [COMPARED[moment][1] for moment in JUDGED]
        found = [
            agreement(person, self.side, moment, ours[:, column], theirs[:, column], frames)
            for moment, column in zip(JUDGED, columns, strict=True)
        ]
        return [one for one in found if one is not None]

    def apart(self, frames: np.ndarray) -> list[float]:
        """Our hip centre less theirs along their thigh's axes, mm: forward, up, outwards; our axes' turn, degrees.

        The turn is about the thigh: positive where our knee's axis is turned inwards of theirs.
        """
        off_m = np.einsum("tij,ti->tj", self.their_thigh, self.centre_m - self.their_centre_m)[frames]
        turn = angles_between(self.their_thigh[frames], self.thigh[frames], "ZXY")["y"]
        outwards = 1.0 if self.side == "right" else -1.0
        forward, up, right = np.nanmean(off_m, axis=0) * 1e3
        return [float(forward), float(up), float(outwards * right), float(outwards * np.degrees(np.nanmean(turn)))]


def main() -> None:
    arguments = people_parser(__doc__).parse_args()
    quiet()
    warehouse = Warehouse(str((arguments.folder / "warehouse").absolute()))
    found: dict[str, list[Agreement]] = defaultdict(list)
    places: list[list[Cell]] = []
    for walk in dynamic_walks(arguments.folder, arguments.only):
        for stride, hip in hips(walk, warehouse):
            frames = stance_of(walk, stride)
            for name, changed in variants().items():
                found[name] += hip.compared(walk.subject, changed, frames)
            inside = within(stride, walk.coordinates.time_s)
            places.append(
                [
                    f"{walk.subject}, {stride.side}",
                    *hip.apart(frames),
                    float(np.nanstd(hip.their_knee_adduction_deg[inside])),
                ]
            )
    if not found:
        raise SystemExit(f"{arguments.folder}: no walk's recording holds Plug-in Gait's moments and segments.")
    print(causes_table(found), "\n")
    head = (
        "our hip less theirs", "forward, mm", "up, mm", "outwards, mm", "knee's axis turned inwards, degrees",
        "their knee's adduction over the stride, SD in degrees",
    )  # fmt: skip
    print(markdown(head, places, (0, 0, 0, 0, 0, 1)))


def variants() -> dict[str, tuple[str, ...]]:
    """What is made the laboratory's, by name: nothing, each difference alone, one after the other, and no inertia."""
    names: dict[str, tuple[str, ...]] = {AS_STORED: ()}
    names |= {f"{name}, alone": (name,) for name in DIFFERENCES}
    names |= {f"… and {name}": DIFFERENCES[: n + 1] for n, name in enumerate(DIFFERENCES) if n}
    return names | {f"{GROUND_ALONE}, the rest theirs": (FILTER, CENTRE, AXES, GROUND_ALONE)}


def hips(walk: DynamicWalk, warehouse: Warehouse) -> Iterator[tuple[Stride, Hip]]:
    """The hip of every stride; none if the recording lacks the laboratory's moments or segments."""
    recording, time_s = walk.observed.recording, walk.coordinates.time_s
    ending = ending_of(recording, "RHipMoment")
    if ending is None or f"RFE{ending}O" not in recording.marker_labels:
        return
    shared = shared_model(walk.model)
    tree, bodies = shared.skeleton.tree, shared.skeleton.bodies
    values = differentiated(shared, walk.coordinates, None, walk.model.parent).values
    segments = body_frames(shared, scale_factors(warehouse, walk.setup.session.key), values)
    _, origin_m = body_places(tree, values)
    ours, dempster, still = (
        transmitted(walk, each)
        for each in (tree, with_masses(tree, bodies, walk.mass_kg), with_masses(tree, bodies, 0.0))
    )
    to_ground = ground_rotation(recording, walk.setup.profile)
    frames = np.searchsorted(recording.time_s, time_s - 0.5 / recording.point_rate_hz)
    cutoff_hz = walk.setup.recipe.ground_reactions.force_cutoff_hz
    for stride in walk.observed.strides:
        thigh = f"{stride.side[0].upper()}FE"
        femur = bodies.index(f"femur_{stride.side[0]}")
        theirs = TO_OURS * _output(walk, ending, stride.side, "HipMoment")
        yield (
            stride,
            Hip(
                side=stride.side,
                mass_kg=walk.mass_kg,
                wrench=ours[:, femur],
                wrench_dempster=dempster[:, femur],
                wrench_still=still[:, femur],
                centre_m=origin_m[:, femur],
                thigh=segments["thigh", stride.side],
                # Plug-in Gait's thigh reaches from the knee's centre, its origin, to the hip's.
                their_centre_m=laboratory_point(recording, f"{thigh}{ending}P")[frames] @ to_ground.T,
                their_thigh=to_ground @ laboratory_frame(recording, thigh, ending)[frames],
                theirs=theirs[frames],
                theirs_filtered=low_pass(theirs, recording.point_rate_hz, cutoff_hz)[frames],
                their_knee_adduction_deg=_output(walk, ending, stride.side, "KneeAngles")[frames, 1],
            ),
        )


def transmitted(walk: DynamicWalk, tree: Tree) -> np.ndarray:
    """What each body's joint gives it (T, B, 6), without muscles: a moment about the ground's origin and a force."""
    shared = shared_model(walk.model)
    motion = differentiated(shared, walk.coordinates, None, walk.model.parent)
    wrenches = list(walk.observed.wrenches.values())
    given = np.zeros((len(motion.values), len(shared.skeleton.bodies), 6))
    pushed = bodies_pushed(shared, wrenches, foot_bodies(walk.setup.recipe))
    about_origin = wrenches_about_origin(wrenches, walk.coordinates.time_s)
    for body, wrench in zip(pushed, about_origin.swapaxes(0, 1), strict=True):
        given[:, body] += wrench
    return needed(tree, motion.values, motion.speeds, motion.accelerations[:, None], given).transmitted


def with_masses(tree: Tree, bodies: Sequence[str], mass_kg: float) -> Tree:
    """The tree with legs of a body of this mass by `DEMPSTER`; each part's inertia grows as the part."""
    factor = np.ones(len(tree.mass_kg))
    for parts, share in DEMPSTER.items():
        for side in SIDES:
            places = [bodies.index(f"{part}_{side[0]}") for part in parts]
            factor[places] = share * mass_kg / tree.mass_kg[places].sum()
    return tree._replace(mass_kg=tree.mass_kg * factor, inertia_kg_m2=tree.inertia_kg_m2 * factor[:, None, None])


def within(stride: Stride, time_s: np.ndarray) -> np.ndarray:
    """Which of the times (T,) belong to the stride."""
    return (time_s >= stride.start_s) & (time_s <= stride.start_s + stride.duration_s)


def stance_of(walk: DynamicWalk, stride: Stride) -> np.ndarray:
    """The stride's frames (T,) in which its foot presses, all that acts on it is known, and theirs presses too."""
    recording, time_s = walk.observed.recording, walk.coordinates.time_s
    wrench = walk.observed.wrenches[stride.side]
    stance: np.ndarray = within(stride, time_s) & wrench.known & np.isfinite(wrench.cop_m[:, 0])
    ending = ending_of(recording, f"{stride.side[0].upper()}GroundReactionForce")
    if ending is None:
        return stance
    force = np.linalg.norm(np.nan_to_num(_output(walk, ending, stride.side, "GroundReactionForce")), axis=1)
    return stance & (np.interp(time_s, recording.time_s, force) > LEAST_FORCE_N_KG)


def _output(walk: DynamicWalk, ending: str, side: Side, label: str) -> np.ndarray:
    return laboratory_point(walk.observed.recording, f"{side[0].upper()}{label}{ending}")


def causes_table(found: Mapping[str, Sequence[Agreement]]) -> str:
    """A row a variant: means over strides of both moments, and how many strides meet the aim in both."""
    head: list[str] = ["made as the laboratory's"]
    for moment in JUDGED:
        head += [
            f"{moment}: r",
            "least",
            "RMS, N·m/kg",
            "largest",
            "mean",
            f"r ≥ {LEAST_R}, RMS ≤ {LARGEST_RMS_NM_KG:.2f}",
        ]
    rows: list[list[Cell]] = []
    for name, strides in found.items():
        row: list[Cell] = [name]
        for moment in JUDGED:
            own = [one for one in strides if one.moment == moment]
            r, rms, mean = np.array([(one.r, one.rms, one.mean) for one in own]).T
            row += [
                r.mean(),
                r.min(),
                rms.mean(),
                rms.max(),
                mean.mean(),
                f"{sum(one.aim_met for one in own)} of {len(own)}",
            ]
        rows.append(row)
    return markdown(head, rows, (0, *((3, 3, 3, 2, 2, 0) * len(JUDGED))))


if __name__ == "__main__":
    main()
