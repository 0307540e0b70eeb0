"""Our joint moments against laboratories' own: `python -m benchmarks.laboratory_moments FOLDER`.

FOLDER holds `warehouse/`, as `python -m benchmarks.people` writes it. Accepted walks whose recordings hold Plug-in
Gait's moments are compared stride by stride, over the frames of stance in which both sides have a force: correlation,
root mean square difference, and mean difference (ours less theirs), N·m/kg. Ours are the stored moments: the hip's
three as a vector along the axes of the thigh, as Plug-in Gait gives it; knee and ankle about the model's own axes.

Plug-in Gait's moments are internal, per kilogram though their unit says N·mm, along the axes of the distal segment;
extension, abduction, external rotation and plantarflexion are positive (`tests/parity/test_laboratory_moments.py` shows
it from powers and forces in the same files). They are printed in our signs: the opposite ones.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.laboratory_outputs import LaboratoryWalk, StoredStride, laboratory_walks
from benchmarks.tables import Cell, markdown, number
from pipeline.anatomy.bones import find_landmarks, moving_bones
from pipeline.anatomy.joint_angles import Frames, segment_frames
from pipeline.osim.log import quiet
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.records import SIDES, Side
from warehouse.files.read import read_row, read_scaled_model, read_table
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse

# Our moment, and which component of which of theirs it is.
COMPARED: dict[str, tuple[str, int]] = {
    "hip flexion": ("HipMoment", 0),
    "hip adduction": ("HipMoment", 1),
    "hip rotation": ("HipMoment", 2),
    "knee flexion": ("KneeMoment", 0),
    "ankle dorsiflexion": ("AnkleMoment", 0),
}
# Theirs are N·mm per kilogram, with the opposite signs.
TO_OURS = -1e-3
HIP = ("hip_flexion", "hip_adduction", "hip_rotation")
# What the hip's flexion and adduction moments are held to.
LEAST_R, LARGEST_RMS_NM_KG = 0.95, 0.10
JUDGED = ("hip flexion", "hip adduction")
# A foot that presses less, newtons per kilogram of body mass, stands on nothing for the laboratory.
LEAST_FORCE_N_KG = 0.2
# Fewer frames don't make a correlation.
FEWEST_FRAMES = 20


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Of one stride and moment over its known stance: correlation, and difference, ours less theirs, in N·m/kg."""

    person: str
    side: Side
    moment: str
    r: float
    rms: float
    mean: float

    @property
    def aim_met(self) -> bool:
        """Whether correlation and difference are as good as is aimed at."""
        return self.r >= LEAST_R and self.rms <= LARGEST_RMS_NM_KG


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where benchmarks.people wrote, or any folder with a warehouse/")
    warehouse = Warehouse(str(parser.parse_args().folder / "warehouse"))
    quiet()
    found, masses = [], {}
    for walk in laboratory_walks(warehouse, "HipMoment"):
        found += agreements(warehouse, walk)
        masses[walk.key.subject] = read_row(warehouse, "sessions", walk.key)["mass_kg"], divided_by_kg(warehouse, walk)
    if not found:
        raise SystemExit(f"{warehouse.root}: no accepted walk's recording holds Plug-in Gait's moments.")
    print(leg_table(found), "\n")
    print(moment_table(found), "\n")
    print(mass_table(masses))


def agreements(warehouse: Warehouse, walk: LaboratoryWalk) -> Iterator[Agreement]:
    """Of every stride and moment of a walk, where both have at least `FEWEST_FRAMES` frames."""
    mass_kg = float(read_row(warehouse, "sessions", walk.key)["mass_kg"])  # type: ignore[arg-type]
    ours_nm = stored_moments_nm(warehouse, walk)
    time_s = read_table(warehouse, "moments", walk.key, ["time_s"])["time_s"].to_numpy()
    for stride in walk.strides:
        stance = stance_of(warehouse, walk, stride, time_s)
        for moment, (label, component) in COMPARED.items():
            output = walk.output(f"{stride.letter}{label}")
            if output is not None:
                theirs = TO_OURS * np.interp(time_s, walk.recording.time_s, output[:, component])
                one = agreement(
                    walk.key.subject, stride.side, moment, ours_nm[moment, stride.side] / mass_kg, theirs, stance
                )
                if one is not None:
                    yield one


def agreement(
    person: str, side: Side, moment: str, ours: np.ndarray, theirs: np.ndarray, frames: np.ndarray
) -> Agreement | None:
    """The figures of two moments (T,) over those of the frames (T,) where both are known; None for too few."""
    both = frames & np.isfinite(ours) & np.isfinite(theirs)
    if both.sum() < FEWEST_FRAMES:
        return None
    off = ours[both] - theirs[both]
    return Agreement(
        person=person,
        side=side,
        moment=moment,
        r=float(np.corrcoef(ours[both], theirs[both])[0, 1]),
        rms=float(np.sqrt(np.mean(off**2))),
        mean=float(np.mean(off)),
    )


def stance_of(warehouse: Warehouse, walk: LaboratoryWalk, stride: StoredStride, time_s: np.ndarray) -> np.ndarray:
    """The stride's frames (T,) in which its foot presses, all that acts on it is known, and theirs presses too."""
    columns = [f"known_{stride.side[0]}", f"cop_x_{stride.side[0]}"]
    known, pressure = (column.to_numpy() for column in read_table(warehouse, "grf", walk.key, columns).columns)
    stance = stride.within(time_s) & known & np.isfinite(pressure)
    return (
        stance
        if (force := their_force_n_kg(walk, stride.side, time_s)) is None
        else stance & (force > LEAST_FORCE_N_KG)
    )


def their_force_n_kg(walk: LaboratoryWalk, side: Side, time_s: np.ndarray) -> np.ndarray | None:
    """The size of the ground's force (T,) as the laboratory has it, zero where it has none; None if it isn't stored."""
    output = walk.output(f"{side[0].upper()}GroundReactionForce")
    if output is None:
        return None
    return np.interp(time_s, walk.recording.time_s, np.nan_to_num(np.linalg.norm(output, axis=1)))


def divided_by_kg(warehouse: Warehouse, walk: LaboratoryWalk) -> float:
    """The mass that the laboratory divides by: the plates' force over its own, the median; NaN if it stores none."""
    ratios = []
    for stride in walk.strides:
        axes = [f"force_{axis}_{stride.side[0]}" for axis in "xyz"]
        table = read_table(warehouse, "grf", walk.key, ["time_s", *axes])
        time_s = table["time_s"].to_numpy()
        ours_n = np.linalg.norm(np.stack([table[axis].to_numpy() for axis in axes]), axis=0)
        theirs = their_force_n_kg(walk, stride.side, time_s)
        stance = stance_of(warehouse, walk, stride, time_s)
        if theirs is not None and stance.any():
            ratios.append(np.median(ours_n[stance] / theirs[stance]))
    return float(np.median(ratios)) if ratios else float("nan")


def stored_moments_nm(warehouse: Warehouse, walk: LaboratoryWalk) -> dict[tuple[str, Side], np.ndarray]:
    """Our moments (T,) by `COMPARED` and side: N·m, NaN where they are not known."""
    kinematics, moments = (read_table(warehouse, table, walk.key) for table in ("kinematics", "moments"))
    found: dict[tuple[str, Side], np.ndarray] = {}
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as directory:
        model = Path(directory) / "scaled.osim"
        model.write_text(read_scaled_model(warehouse, walk.key), "utf-8")
        shared, mechanics = shared_model(model), Mechanics(model)
        values = np.stack(
            [
                np.radians(kinematics[one.name].to_numpy()) if one.rotational else kinematics[one.name].to_numpy()
                for one in mechanics.coordinates
            ],
            axis=1,
        )
        frames = body_frames(shared, scale_factors(warehouse, walk.key), values)
        for side in SIDES:
            letter = side[0]
            names = [f"{name}_{letter}" for name in HIP]
            columns = [mechanics.names.index(name) for name in names]
            jacobian = mechanics.kinematics(values, [f"femur_{letter}"]).jacobian[:, 0, :3]
            about = np.stack([moments[name].to_numpy() for name in names], axis=1)
            vector = moment_vector(jacobian[:, :, columns], about)
            for name, values_nm in zip(HIP, along_thigh(vector, frames["thigh", side], side), strict=True):
                found[name.replace("_", " "), side] = values_nm
            found["knee flexion", side] = moments[f"knee_angle_{letter}"].to_numpy()
            found["ankle dorsiflexion", side] = moments[f"ankle_angle_{letter}"].to_numpy()
    return found


def scale_factors(warehouse: Warehouse, key: SessionKey) -> dict[str, tuple[float, float, float]]:
    """A session's stored scale factors, by body."""
    rows = read_table(warehouse, "scaling", key).to_pylist()
    return {row["body"]: (row["scale_x"], row["scale_y"], row["scale_z"]) for row in rows}


def body_frames(shared: SharedModel, factors: Mapping[str, tuple[float, float, float]], values: np.ndarray) -> Frames:
    """The segments' frames at poses (T, Q) in the model's order."""
    neutral = moving_bones(shared.skeleton, np.zeros((1, values.shape[1])))
    return segment_frames(moving_bones(shared.skeleton, values), neutral, find_landmarks(shared.skeleton, factors))


def moment_vector(axes: np.ndarray, about: np.ndarray) -> np.ndarray:
    """The moment (T, 3) whose components about three axes, the columns of (T, 3, 3), are `about` (T, 3)."""
    vector: np.ndarray = np.linalg.solve(axes.swapaxes(1, 2), about[:, :, None])[:, :, 0]
    return vector


def along_thigh(vector: np.ndarray, thigh: np.ndarray, side: Side) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A moment (T, 3) on the thigh as flexion, adduction and internal rotation (T,), along its axes (T, 3, 3)."""
    x, y, z = np.einsum("tij,ti->jt", thigh, vector)
    outwards = 1.0 if side == "right" else -1.0
    return z, outwards * x, outwards * y


def leg_table(found: Iterable[Agreement]) -> str:
    """A row a leg: each moment's correlation / root mean square / mean difference, means over its strides."""
    legs: dict[tuple[str, Side], list[Agreement]] = defaultdict(list)
    for one in found:
        legs[one.person, one.side].append(one)
    rows = [
        [f"{person}, {side}", *(_three(one for one in strides if one.moment == moment) for moment in COMPARED)]
        for (person, side), strides in sorted(legs.items())
    ]
    return markdown(("r / RMS / mean, N·m/kg", *COMPARED), rows, (0,) * (1 + len(COMPARED)))


def _three(strides: Iterable[Agreement]) -> str:
    figures = np.array([(one.r, one.rms, one.mean) for one in strides])
    if not len(figures):
        return "–"
    r, rms, mean = figures.mean(axis=0)
    return f"{number(r, 3)} / {number(rms, 2)} / {mean:+.2f}"


def moment_table(found: Sequence[Agreement]) -> str:
    """A row a moment, over strides: how well they agree, at worst, and how many of what is judged meet the aim."""
    rows: list[list[Cell]] = []
    for moment in COMPARED:
        strides = [one for one in found if one.moment == moment]
        if strides:
            r, rms, mean = np.array([(one.r, one.rms, one.mean) for one in strides]).T
            met = f"{sum(one.aim_met for one in strides)} of {len(strides)}" if moment in JUDGED else ""
            furthest = mean[np.abs(mean).argmax()]
            rows.append([moment, r.mean(), r.min(), rms.mean(), rms.max(), mean.mean(), furthest, met])
    aim = f"r ≥ {LEAST_R}, RMS ≤ {LARGEST_RMS_NM_KG:.2f}"
    head = ("moment", "r", "least", "RMS, N·m/kg", "largest", "mean difference", "furthest", aim)
    return markdown(head, rows, (0, 3, 3, 2, 2, 2, 2, 0))


def mass_table(masses: Mapping[str, tuple[object, float]]) -> str:
    """A row a person: the mass of the session, and the one that the laboratory divides by."""
    rows = [[person, float(ours), theirs] for person, (ours, theirs) in sorted(masses.items())]  # type: ignore[arg-type]
    return markdown(("mass, kg", "ours", "theirs"), rows, (0, 1, 1))


if __name__ == "__main__":
    main()
