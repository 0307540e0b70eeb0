"""Normal gait as harmonics: `python -m benchmarks.fit_normal_gait SESSION.toml ...` writes pipeline/virtual/*.csv.

Made for the walking adults of Schreiber and Moissenet (2019, Sci Data 6:111), two speeds each; their kinematics are
the product's own. Each adult's curve is a straight line in dimensionless speed with a slope that all share, so that
the slope is what one person changes when walking faster, and not how fast people differ from slow ones.
"""

import csv
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.c3d.read_c3d import read_c3d
from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.ground.ground_reactions import GroundReactions, ground_reactions
from pipeline.markers.static_trial import StaticTrial, read_static
from pipeline.markers.trajectories import trajectories
from pipeline.osim.models.mechanics import Mechanics
from pipeline.osim.tools.engine import inverse_kinematics
from pipeline.records import SIDES, Coordinates, FootWrench, Side
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.virtual.gait.harmonics import basis
from pipeline.virtual.gait.normal_gait import (
    GAIT_HARMONICS,
    GROUND_FORCES,
    LIMB,
    MIRRORED,
    NORMAL_GAIT_FOLDER,
    PER_HEIGHT,
    REFERENCE_SPEED,
    TRUNK,
)
from pipeline.virtual.person.proportions import dimensionless_speed
from pipeline.virtual.person.soles import Sole, sole_of

PHASES = np.linspace(0, 1, 201)
STANCE_PHASES = np.linspace(0, 1, 21)
# The markers can't tell these two well: bent elbows lose them, and the solver jumps. They keep their median.
STILL = ("arm_rot", "pro_sup")
# A centre of pressure is read where the foot carries this.
LOADED_N = 50.0


@dataclass(frozen=True)
class Stride:
    """One gait cycle: curves in radians and metres per metre of height by signal, (P,); side-free names."""

    subject: str
    height_m: float
    duration_s: float
    speed_m_s: float
    stance: float
    curves: Mapping[str, np.ndarray]

    @property
    def speed(self) -> float:
        return dimensionless_speed(self.speed_m_s, self.height_m)


@dataclass(frozen=True)
class Rollover:
    """Where the centre of pressure was along and across a foot over its stance, in lengths from heel to ball."""

    along: np.ndarray
    outward: np.ndarray


def main() -> None:
    strides: list[Stride] = []
    rollovers: list[Rollover] = []
    for file in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as directory:
            setup = open_session(file, "gait2hip60", None)
            static = read_static(setup)
            scaled, model = size_subject(setup, static), Path(directory) / "scaled.osim"
            model.write_text(scaled.osim_xml, "utf-8")
            mechanics = Mechanics(model)
            for trial in setup.session.trials:
                soles = {side: sole_of(setup.profile, side).scaled(scaled.scale_factors) for side in SIDES}
                found = _walk(setup, trial, static, model, mechanics, soles, Path(directory) / trial.path.stem)
                strides += found[0]
                rollovers += found[1]
    _write_harmonics(strides)
    _write_steps(strides)
    _write_rollover(rollovers)


def _walk(
    setup: SessionSetup,
    trial: Trial,
    static: StaticTrial,
    model: Path,
    mechanics: Mechanics,
    soles: Mapping[Side, Sole],
    directory: Path,
) -> tuple[list[Stride], list[Rollover]]:
    """The strides and measured stances of one walk."""
    recording = read_c3d(trial.path)
    tracks = trajectories(recording, static, setup.profile, setup.recipe)
    subject = setup.session.subject
    ground = ground_reactions(recording, tracks, setup.profile, subject.mass_kg, setup.recipe.ground_reactions)
    markers = tracks.smooth.cut(tracks.window)
    coordinates = inverse_kinematics(
        model,
        markers,
        marker_weights={label: setup.profile.markers[label].ik_weight for label in markers.labels},
        settings=setup.recipe.inverse_kinematics,
        directory=directory,
    ).coordinates
    carried = _carried(ground, subject.mass_kg)
    strides, rollovers = [], []
    for side in SIDES:
        strikes = ground.events.times("foot_strike", side)
        offs = ground.events.times("foot_off", side)
        for start, stop in pairwise(strikes):
            off = next(t for t in offs if t > start)
            stride = _stride(setup.session.key.subject, subject.height_m, coordinates, side, start, stop, off)
            strides.append(replace(stride, curves=stride.curves | carried))
        wrench = ground.wrenches[side].cut(tracks.window)
        sole = soles[side]
        for start in strikes:
            off = next((t for t in offs if t > start), np.inf)
            during = (wrench.time_s >= start) & (wrench.time_s <= off)
            if np.isfinite(off) and wrench.known[during].all():
                heel, ball = np.moveaxis(mechanics.positions_m(coordinates.values, [sole.heel, sole.ball]), 1, 0)
                cop = np.where(wrench.force_n[:, [1]] > LOADED_N, wrench.cop_m, np.nan)
                rollovers.append(_rollover(wrench.time_s, cop, heel, ball, side, start, off))
    print(trial.path.stem, len(strides), "strides,", len(rollovers), "stances on plates", flush=True)
    return strides, rollovers


def _carried(ground: GroundReactions, mass_kg: float) -> dict[str, np.ndarray]:
    """The ground's whole force over a cycle by direction, in body weights, (P,): a foot's and its half a cycle later.

    Averaged over the walk's measured stances, whichever foot's.
    """
    found = []
    strides_s = [np.diff(ground.events.times("foot_strike", side)) for side in SIDES]
    duration_s = float(np.mean(np.concatenate(strides_s)))
    for side in SIDES:
        wrench = ground.wrenches[side]
        for start in ground.events.times("foot_strike", side):
            off = next((t for t in ground.events.times("foot_off", side) if t > start), np.inf)
            if off < wrench.time_s[-1] and wrench.known[(wrench.time_s >= start) & (wrench.time_s <= off)].all():
                mirror = np.array([1, 1, -1 if side == "left" else 1])
                found.append(mirror * _stance_force(wrench, start, duration_s) / (mass_kg * GRAVITY_M_S2))
    one = np.mean(found, axis=0)
    later = (PHASES + 0.5) % 1.0
    return {
        name: one[:, axis] + (-1 if axis == 2 else 1) * np.interp(later, PHASES, one[:, axis])
        for axis, name in enumerate(GROUND_FORCES)
    }


def _stance_force(wrench: FootWrench, start: float, duration_s: float) -> np.ndarray:
    """One stance's force (P, 3) over the cycle that it begins, zero in swing.

    The filter spreads it a little before the strike and behind the off.
    """
    phase = (PHASES + 0.2) % 1.0 - 0.2
    at_s = start + phase * duration_s
    force_n = np.column_stack(
        [np.interp(at_s, wrench.time_s, wrench.force_n[:, axis], left=0.0, right=0.0) for axis in range(3)]
    )
    force_n[(phase < -0.1) | (phase > 0.75)] = 0.0
    return force_n


def _stride(
    subject: str, height_m: float, coordinates: Coordinates, side: Side, start: float, stop: float, off: float
) -> Stride:
    """One cycle, closed by a straight line, seen as if it were a right one."""
    at_s = start + PHASES * (stop - start)
    mirror = -1 if side == "left" else 1
    curves = {}
    for name in (*LIMB, *TRUNK):
        column = coordinates.column(f"{name}_{side[0]}" if name in LIMB else name)
        curve = np.interp(at_s, coordinates.time_s, column) * (mirror if name in MIRRORED else 1)
        curves[name] = curve / height_m if name in PER_HEIGHT else curve
    gone = curves["pelvis_tx"][-1] - curves["pelvis_tx"][0]
    for name, curve in curves.items():
        curves[name] = curve - (curve[-1] - curve[0]) * (PHASES - 0.5)
    for name in STILL:
        curves[name] = np.full_like(PHASES, np.median(curves[name]))
    for name in ("pelvis_tx", "pelvis_tz"):
        curves[name] = curves[name] - curves[name][:-1].mean()
    duration_s = stop - start
    return Stride(
        subject=subject,
        height_m=height_m,
        duration_s=duration_s,
        speed_m_s=float(gone * height_m / duration_s),
        stance=(off - start) / duration_s,
        curves=curves,
    )


def _rollover(
    time_s: np.ndarray, cop_m: np.ndarray, heel_m: np.ndarray, ball_m: np.ndarray, side: Side, start: float, off: float
) -> Rollover:
    """NaN where the foot hardly loads the plate. The foot's own place is where it lies flat, at a third of stance."""
    flat = np.abs(time_s - (start + 0.35 * (off - start))) < 0.05
    heel, ball = heel_m[flat].mean(axis=0)[[0, 2]], ball_m[flat].mean(axis=0)[[0, 2]]
    axis = (ball - heel) / np.sum((ball - heel) ** 2)
    outward = np.array([-axis[1], axis[0]]) * (1 if side == "right" else -1)
    moved = cop_m[:, [0, 2]] - heel
    at_s = start + STANCE_PHASES * (off - start)
    return Rollover(along=np.interp(at_s, time_s, moved @ axis), outward=np.interp(at_s, time_s, moved @ outward))


def _write_harmonics(strides: Sequence[Stride]) -> None:
    """One row per signal and term: the mean adult, the change with speed, and each adult's deviation."""
    subjects = sorted({stride.subject for stride in strides})
    speed = np.array([stride.speed for stride in strides]) - REFERENCE_SPEED
    of = np.array([subjects.index(stride.subject) for stride in strides])
    design = np.column_stack([np.eye(len(subjects))[of], speed])
    shape = basis(PHASES[:-1], GAIT_HARMONICS)
    rows = []
    for name in (*LIMB, *TRUNK, *GROUND_FORCES):
        terms = np.array([np.linalg.lstsq(shape, stride.curves[name][:-1], rcond=None)[0] for stride in strides])
        fitted = np.linalg.lstsq(design, terms, rcond=None)[0]
        own, slope = fitted[:-1], fitted[-1]
        mean = own.mean(axis=0)
        adults = (own - mean).T
        if name in STILL:
            slope, adults = np.zeros_like(slope), np.zeros_like(adults)
        for term, (m, s, deviations) in enumerate(zip(mean, slope, adults, strict=True)):
            rows.append([name, term, *(f"{x:.6f}" for x in (m, s, *deviations))])
    header = ["signal", "term", "mean", "per_speed", *(f"adult_{n + 1}" for n in range(len(subjects)))]
    _write_csv("harmonics.csv", header, rows)


def _write_steps(strides: Sequence[Stride]) -> None:
    """Stride length against cadence (one exponent for all), and the stance's share of the stride against speed."""
    subjects = sorted({stride.subject for stride in strides})
    of = np.eye(len(subjects))[[subjects.index(stride.subject) for stride in strides]]
    cadence = np.log([120 / stride.duration_s for stride in strides])
    length = np.log([stride.speed_m_s * stride.duration_s / stride.height_m for stride in strides])
    reference = np.log(115.0)
    fitted = np.linalg.lstsq(np.column_stack([of, cadence - reference]), length, rcond=None)[0]
    speed = np.array([stride.speed for stride in strides])
    stance = np.array([stride.stance for stride in strides])
    share = np.linalg.lstsq(np.column_stack([of, speed - REFERENCE_SPEED]), stance, rcond=None)[0]
    rows = [
        ["stride_per_height_at_115", f"{np.exp(fitted[:-1].mean()):.4f}", f"{np.std(fitted[:-1], ddof=1):.4f}"],
        ["stride_exponent", f"{fitted[-1]:.4f}", ""],
        ["stance_share", f"{share[:-1].mean():.4f}", f"{np.std(share[:-1], ddof=1):.4f}"],
        ["stance_share_per_speed", f"{share[-1]:.4f}", ""],
    ]
    _write_csv("steps.csv", ["quantity", "value", "between_subject_sd"], rows)


def _write_rollover(rollovers: Sequence[Rollover]) -> None:
    along = np.nanmean([r.along for r in rollovers], axis=0)
    outward = np.nanmean([r.outward for r in rollovers], axis=0)
    rows = [[f"{p:.2f}", f"{a:.4f}", f"{o:.4f}"] for p, a, o in zip(STANCE_PHASES, along, outward, strict=True)]
    _write_csv("rollover.csv", ["stance_phase", "along", "outward"], rows)


def _write_csv(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (NORMAL_GAIT_FOLDER / name).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
