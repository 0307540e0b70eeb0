"""Are plates and cameras of one time? `python -m benchmarks.plate_lag FOLDER [--data DIR] [--only ID]`.

FOLDER is made by `python -m benchmarks.people FOLDER`. Prints what measurements say that don't share an assumption:

1. momentum: plates against mass times acceleration, by axis, and against the turning of the body about its mass centre;
2. two speeds: how far the force's line misses the mass centre, which a wrong body or plate makes alike at any speed and
   a delay makes longer the faster somebody walks;
3. feet: heel and toe markers against the force's onset and end, and the pressure against the foot's own shape;
4. hip centres, by regressions, by the walk and by the model;
5. what an imposed delay, a filter, 10 mm of pressure and 10 mm of hip centre are worth.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.foot_timing import PHASES, FootMarkers, Footprint, footprints
from benchmarks.hip_centres import hara_m, harrington_m, in_pelvis_m, pelvis_frames, score_m
from benchmarks.norms import mean_figures, pelvis_speed_m_s, stride_figures
from benchmarks.residuals import Residuals, residuals_of
from benchmarks.walk_dynamics import (
    DynamicWalk,
    NeededWrench,
    dynamic_walks,
    given_wrench,
    hip_forces_n,
    moments_with,
    needed_wrench,
    resolved,
    with_plates_taken,
)
from pipeline.c3d.read_c3d import read_c3d
from pipeline.ground.cycles import Stride
from pipeline.ground.plate_lag import (
    LONGEST_LAG_S,
    MEASURES,
    PlateLag,
    WholeBody,
    plate_lag,
    weighted_mean,
    whole_body,
)
from pipeline.osim.log import quiet
from pipeline.osim.models.mechanics import Mechanics
from pipeline.plates_in_time import together
from pipeline.records import SIDES, GeneralizedForces, Markers, Side
from pipeline.session.profile import foot_of

IMPOSED_MS = (-20, -10, 0, 5, 10, 15, 20)
FIGURES = ("hipZ_10", "hipX_18", "hipZ_50", "hipZ_94", "ankleZ_10", "ankleZ_50", "ankleZ_max")
# Recordings without a body of their own: feet and plates only. Toe labels that stand for a missing one are averaged.
OTHERS = {
    "hospital QCMAS": (("hospitals/QCMAS/QCMAS.dynamic.c3d",), ("RHEE", "LHEE"), (("RTOE",), ("LTOE",))),
    "hospital FMC": (
        ("hospitals/FMC/MH0222_BP06.c3d", "hospitals/FMC/MH0222_BP15.c3d"),
        ("RHEE", "LHEE"),
        (("RTOE",), ("LTOE",)),
    ),
    "hospital RCH": (("hospitals/RCH/RCH.08.c3d",), ("RHEE", "LHEE"), (("RTOE",), ("LTOE",))),
    "treadmill run": (
        ("treadmill/RBDS002runT25.c3d",),
        ("R.Heel.Bottom", "L.Heel.Bottom"),
        (("R.MT1", "R.MT5"), ("L.MT1", "L.MT5")),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What one walk gave: its lag, how far the force's line misses the mass centre at no delay, its speed."""

    subject: str
    cohort: str
    group: str
    trial: str
    lag: PlateLag | None
    sideways_s: float
    missed_m: float
    speed_m_s: float
    shifts: dict[float, tuple[Residuals, dict[str, float]]]
    worth: dict[str, dict[str, float]]
    hips: list[dict[str, np.ndarray]]
    feet: list[Footprint]


def main() -> None:
    arguments = _arguments()
    quiet()
    walks = [study(walk) for walk in dynamic_walks(arguments.folder, arguments.only)]
    for line in (*momentum(walks), *two_speeds(walks), *feet(walks, arguments.data), *hips(walks), *worth(walks)):
        print(line)


def study(walk: DynamicWalk) -> Studied:
    """All measurements of one walk."""
    needed = needed_wrench(walk)
    moments = moments_with(walk, walk.observed.wrenches)
    body = whole_body(moments, walk.coordinates, needed.mass_centre_m, walk.observed.wrenches)
    return Studied(
        subject=walk.subject,
        cohort=walk.cohort,
        group=f"{walk.cohort} {walk.trial.condition}",
        trial=walk.trial.name,
        lag=plate_lag(body, walk.setup.recipe.ground_reactions.force_cutoff_hz) if body else None,
        sideways_s=sideways_s(body) if body else float("nan"),
        missed_m=missed_m(walk, needed),
        speed_m_s=pelvis_speed_m_s(walk),
        shifts={ms: _with_shift(walk, needed, ms / 1e3) for ms in IMPOSED_MS},
        worth=_worth(walk),
        hips=_hips(walk),
        feet=list(footprints(walk.observed.recording, _feet(walk))),
    )


def sideways_s(body: WholeBody) -> float:
    """The delay that the sideways force alone tells, which the estimate leaves out; NaN without an optimum."""
    span_s = LONGEST_LAG_S
    inner = (body.time_s >= body.time_s[0] + span_s) & (body.time_s <= body.time_s[-1] - span_s) & body.known
    if not inner.any():
        return float("nan")
    motion = CubicSpline(body.time_s, body.needed_n[:, 2])
    lags = np.arange(-60, 61) / 1e3
    left = [np.var(body.given_n[inner, 2] - motion(body.time_s[inner] - lag)) for lag in lags]
    best = int(np.argmin(left))
    return float("nan") if best in (0, len(lags) - 1) else float(lags[best])


def missed_m(walk: DynamicWalk, needed: NeededWrench) -> float:
    """How far before the mass centre, metres, the plates' force passes beyond what turns the body; mean by load."""
    force_n, moment_nm = (each[walk.known] for each in given_wrench(walk.observed.wrenches))
    centre = needed.mass_centre_m[walk.known]
    turning = (needed.moment_nm - np.cross(needed.mass_centre_m, needed.force_n))[walk.known]
    left = (moment_nm - np.cross(centre, force_n) - turning)[:, 2]
    return float(left @ force_n[:, 1] / (force_n[:, 1] @ force_n[:, 1]))


def _with_shift(walk: DynamicWalk, needed: NeededWrench, lag_s: float) -> tuple[Residuals, dict[str, float]]:
    wrenches = with_plates_taken(walk, lag_s)
    moments = moments_with(walk, wrenches)
    return residuals_of(needed, wrenches), mean_figures(
        [stride_figures(moments, stride, walk.mass_kg) for stride in walk.observed.strides]
    )


def _worth(walk: DynamicWalk) -> dict[str, dict[str, float]]:
    """What each moment gains, N·m/kg, by a change of 10 mm, or by filters of 12 Hz in place of the recipe's."""
    strides = walk.observed.strides
    wrenches, as_is = walk.observed.wrenches, moments_with(walk, walk.observed.wrenches)
    forward = {
        side: replace(one, moment_nm=one.moment_nm + np.cross([0.01, 0, 0], one.force_n))
        for side, one in wrenches.items()
    }
    pressure = moments_with(walk, forward)
    centre = as_is.values.copy()
    for side, force_n in hip_forces_n(walk).items():
        # About a point that lies 10 mm further forward in the pelvis.
        moved = -np.cross([0.01, 0, 0], force_n)
        centre[:, as_is.names.index(f"hip_flexion_{side[0]}")] += moved[:, 2]
        centre[:, as_is.names.index(f"hip_adduction_{side[0]}")] += moved[:, 0]
    sharp = resolved(walk, cutoff_hz=12.0)
    before = mean_figures([stride_figures(as_is, stride, walk.mass_kg) for stride in strides])

    def gained(moments: GeneralizedForces, of: Sequence[Stride]) -> dict[str, float]:
        after = mean_figures([stride_figures(moments, stride, walk.mass_kg) for stride in of])
        return {name: after[name] - before[name] for name in FIGURES}

    return {
        "pressure 10 mm forward": gained(pressure, strides),
        "hip centre 10 mm forward": gained(replace(as_is, values=centre), strides),
        "filters 12 Hz for 6 Hz": gained(moments_with(sharp, sharp.observed.wrenches), sharp.observed.strides),
    }


def _hips(walk: DynamicWalk) -> list[dict[str, np.ndarray]]:
    """Each side's hip centre in the pelvis' frame, the model's less each other, metres: forward, up and outward."""
    markers, profile = walk.observed.markers, walk.setup.profile
    rotation, origin, depth, width = pelvis_frames(markers, profile.pelvis)
    mechanics = Mechanics(walk.model)
    values = walk.coordinates.values[:, [walk.coordinates.names.index(name) for name in mechanics.names]]
    found = []
    for side in SIDES:
        _, femur = mechanics.transforms(values, [f"femur_{side[0]}"])
        model = in_pelvis_m(femur[:, 0], rotation, origin)
        differences = {"Harrington 2007": model - harrington_m(side, depth, width)}
        leg = _leg_m(walk.static.pose, walk, side)
        if np.isfinite(leg):
            differences["Hara 2016"] = model - hara_m(side, leg)
        functional = _functional(markers, walk, side)
        if functional is not None:
            differences["walk (SCoRE)"] = model - in_pelvis_m(functional, rotation, origin)
        found.append({name: outward_m(side, apart) for name, apart in differences.items()})
    return found


def outward_m(side: Side, rightward_m: np.ndarray) -> np.ndarray:
    """A place or difference (..., 3) whose third axis points right, with that axis pointing away from the other leg."""
    mirrored: np.ndarray = rightward_m * (1.0, 1.0, 1.0 if side == "right" else -1.0)
    return mirrored


def _leg_m(pose: Markers, walk: DynamicWalk, side: Side) -> float:
    """Anterior spine to medial malleolus, standing; NaN without such a marker."""
    pelvis = walk.setup.profile.pelvis
    spine = pelvis.right_anterior if side == "right" else pelvis.left_anterior
    ankle = f"{side[0].upper()}_TAM" if f"{side[0].upper()}_TAM" in pose.labels else f"{side[0].upper()}ANK"
    if ankle not in pose.labels:
        return float("nan")
    return float(np.linalg.norm(pose.marker(spine)[0] - pose.marker(ankle)[0]))


def _functional(markers: Markers, walk: DynamicWalk, side: Side) -> np.ndarray | None:
    pelvis = walk.setup.profile.pelvis
    hips = [pelvis.right_anterior, pelvis.left_anterior, *pelvis.posterior]
    hips = [label for label in hips if label in markers.labels]
    thigh = [
        label
        for label, marker in walk.setup.profile.markers.items()
        if marker.body == f"femur_{side[0]}" and label in markers.labels
    ]
    if len(thigh) < 3 or len(hips) < 3:
        return None
    places = [np.stack([markers.marker(label) for label in labels], axis=1) for labels in (hips, thigh)]
    seen = np.isfinite(np.concatenate(places, axis=1)).all(axis=(1, 2))
    if not seen.all():
        return None
    return score_m(*places)


def _feet(walk: DynamicWalk) -> list[FootMarkers]:
    labels = [foot_of(walk.setup.profile, side) for side in SIDES]
    return [FootMarkers(heel=foot.heel, toe=foot.toe) for foot in labels]


def momentum(walks: Sequence[Studied]) -> Iterator[str]:
    """Lines: each walk's lag by each measure, and each group's."""
    yield "## 1. Momentum: how late the plates are, ms ± one standard error (all: as far as the measures disagree)"
    yield f"{'':16} {'all':>12} " + " ".join(f"{name:>12}" for name in (*MEASURES, "sideways"))
    for walk in walks:
        if walk.lag is None:
            yield f"{walk.trial:16} tells nothing: too little on the plates, or too far from Newton's laws"
            continue
        yield f"{walk.trial:16} {_lag_cells(walk.lag)} {1e3 * walk.sideways_s:12.0f}"
    for group, members in _grouped(walks).items():
        lags = [one.lag for one in members if one.lag]
        columns = [[lag.lag_s for lag in lags], *([lag.by_measure[name][0] for lag in lags] for name in MEASURES)]
        columns.append([one.sideways_s for one in members])
        yield (f"{group:16} " + " ".join(_mean_se(column, 1e3) for column in columns) + f"  mean of {len(lags)}")
        yield f"{'':16} " + " ".join(f"{'SD':>7} {1e3 * np.nanstd(column, ddof=1):4.1f}" for column in columns)
    yield "all walks together of each person, and how much later than the others of their laboratory; of laboratories"
    for person, cohort in dict.fromkeys((walk.subject, walk.cohort) for walk in walks):
        yield from _together_line(
            person,
            [walk.lag for walk in walks if walk.subject == person],
            [walk.lag for walk in walks if walk.cohort == cohort and walk.subject != person],
        )
    for cohort in dict.fromkeys(walk.cohort for walk in walks):
        own, others = ([walk.lag for walk in walks if (walk.cohort == cohort) is same] for same in (True, False))
        yield from _together_line(cohort, own, others)


def _together_line(name: str, own: Sequence[PlateLag | None], others: Sequence[PlateLag | None]) -> Iterator[str]:
    found, rest = (together([lag for lag in lags if lag]) for lags in (own, others))
    if found:
        later = "" if rest is None else "; {:+.1f} ± {:.1f}".format(*(1e3 * each for each in later_by_s(found, rest)))
        yield f"{name:16} {_lag_cells(found)}  of {sum(lag is not None for lag in own)}{later}"


def later_by_s(one: PlateLag, other: PlateLag) -> tuple[float, float]:
    """How much later one's plates are than the other's, seconds, and its standard error: measure by measure.

    What a measure is off by in all people alike is no part of it.
    """
    pairs = [(one.by_measure[name], other.by_measure[name]) for name in MEASURES]
    return weighted_mean([(first - second, float(np.hypot(se, its_se))) for (first, se), (second, its_se) in pairs])


def _lag_cells(lag: PlateLag) -> str:
    each = [(lag.lag_s, lag.se_s), *(lag.by_measure[name] for name in MEASURES)]
    return " ".join(f"{1e3 * lag_s:6.1f} ± {1e3 * se_s:3.1f}" for lag_s, se_s in each)


def two_speeds(walks: Sequence[Studied]) -> Iterator[str]:
    """Lines: the lag that one person's walks at two speeds tell."""
    yield "\n## 2. Two speeds: the force's line in front of the mass centre, mm, and the delay that its growth tells"
    by_person: dict[str, dict[str, Studied]] = defaultdict(dict)
    for walk in walks:
        by_person[walk.subject][walk.group.split()[-1]] = walk
    lags = []
    for person, of in by_person.items():
        if {"preferred", "fast"} <= set(of):
            slow, fast = of["preferred"], of["fast"]
            lags.append((slow.missed_m - fast.missed_m) / (fast.speed_m_s - slow.speed_m_s))
            yield (
                f"{person:16} {1e3 * slow.missed_m:6.1f} at {slow.speed_m_s:.2f} m/s, {1e3 * fast.missed_m:6.1f} at "
                f"{fast.speed_m_s:.2f} m/s: {1e3 * lags[-1]:5.1f} ms"
            )
    if len(lags) > 1:
        yield f"{'all':16} {_mean_se(lags, 1e3)} ms"
    for group, members in _grouped(walks).items():
        yield f"{group:16} {_mean_se([one.missed_m for one in members], 1e3)} mm at no delay"


def feet(walks: Sequence[Studied], data: Path) -> Iterator[str]:
    """Lines: heels, toes and centres of pressure by group and laboratory."""
    yield "\n## 3. Feet: events, ms (later plates make both smaller); pressure from heel to toe marker, share"
    yield (
        f"{'':20} {'n':>3} {'heel':>12} {'toe':>12}   "
        + " ".join(f"{f'at {p:.0%}':>12}" for p in PHASES)
        + "  heel-toe"
    )
    groups = {group: [foot for one in members for foot in one.feet] for group, members in _grouped(walks).items()}
    for name, (files, heels, toes) in OTHERS.items():
        markers = [FootMarkers(heel=(heel,), toe=toe) for heel, toe in zip(heels, toes, strict=True)]
        try:
            groups[name] = [foot for file in files for foot in footprints(read_c3d(data / file), markers)]
        except KeyError as missing:
            yield f"{name:20} left out: no marker {missing}"
    for name, found in groups.items():
        if found:
            yield (
                f"{name:20} {len(found):3} {_mean_se([foot.heel_s for foot in found], 1e3)} "
                f"{_mean_se([foot.toe_s for foot in found], 1e3)}   "
                + " ".join(_mean_se([foot.along[n] for foot in found], 1, 2) for n in range(len(PHASES)))
                + f"  {1e3 * np.mean([foot.length_m for foot in found]):.0f} mm"
            )


def hips(walks: Sequence[Studied]) -> Iterator[str]:
    """Lines: the model's hip centre less the others', forward, up and outward."""
    yield "\n## 4. Hip centre: the model's less another's, mm, mean over hips ± SD: forward, up, outward"
    for group, members in _grouped(walks).items():
        for name in ("Harrington 2007", "Hara 2016", "walk (SCoRE)"):
            apart = np.array([side[name] for one in members for side in one.hips if name in side]) * 1e3
            if len(apart):
                cells = " ".join(
                    f"{m:6.1f} ± {s:4.1f}" for m, s in zip(apart.mean(0), apart.std(0, ddof=1), strict=True)
                )
                yield f"{group:16} {name:16} {cells}   distance {np.linalg.norm(apart, axis=1).mean():.0f}"


def worth(walks: Sequence[Studied]) -> Iterator[str]:
    """Lines: residuals and moments with plates taken earlier, and what 10 mm and filters are worth."""
    yield "\n## 5. Plates taken earlier by so many ms: residuals in % as Hicks et al. 2015 have them, moments in N·m/kg"
    heads = ("force rms", "peak", "moment rms", "peak", *FIGURES)
    for group, members in _grouped(walks).items():
        yield f"{group}\n{'ms':>26} " + " ".join(f"{head:>10}" for head in heads)
        for ms in IMPOSED_MS:
            rows = [[*one.shifts[ms][0].as_row(), *(one.shifts[ms][1][name] for name in FIGURES)] for one in members]
            yield f"{ms:26d} " + " ".join(f"{value:10.2f}" for value in np.nanmean(rows, axis=0))
        for what in members[0].worth:
            rows = [[one.worth[what][name] for name in FIGURES] for one in members]
            yield f"{what:>26} " + " " * 44 + " ".join(f"{value:+10.3f}" for value in np.nanmean(rows, axis=0))


def _grouped(walks: Sequence[Studied]) -> dict[str, list[Studied]]:
    groups: dict[str, list[Studied]] = defaultdict(list)
    for walk in walks:
        groups[walk.group].append(walk)
    return groups


def _mean_se(values: Sequence[float], factor: float, digits: int = 1) -> str:
    known = factor * np.array(values)[np.isfinite(values)]
    if len(known) < 2:
        return f"{'-':>12}"
    return f"{known.mean():6.{digits}f} ± {known.std(ddof=1) / np.sqrt(len(known)):3.{digits}f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what benchmarks.people made")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("GAIT2HIP_TEST_DATA", "../shared/data")))
    parser.add_argument("--only", nargs="*", metavar="ID", help="these people")
    return parser.parse_args()


if __name__ == "__main__":
    main()
