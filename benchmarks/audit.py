"""What an audit finds: `python -m benchmarks.audit RELEASE [--json FILE]`.

Judges the release as it is, puts each of eleven known faults into each subject in turn and says how many are found and
who else is blamed, and draws normal curves to say how often they are too far from few others.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from reports.audit.audit import audit_cycles
from reports.audit.curves import AuditCycles
from reports.audit.others import LEAST_OTHERS, distance_limit, distances, others_of
from reports.audit.release import cycles_of_release
from reports.audit.verdict import AuditVerdict, VerdictKind
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS
from warehouse.release.publish import open_release

Fault = Callable[[np.ndarray], np.ndarray]
INPUTS = [ALL_CHANNELS.index(name) for name in INPUT_COORDINATES]
TARGETS = [ALL_CHANNELS.index(name) for name in (*FORCE_CHANNELS, *MOMENT_CHANNELS)]


def at(name: str) -> int:
    """A channel's place among the channels."""
    return ALL_CHANNELS.index(name)


def with_fault(cycles: AuditCycles, chosen: np.ndarray, fault: Fault) -> AuditCycles:
    """The same with the curves (n, C, P) of the chosen cycles (N,) replaced by what `fault` makes of them."""
    curves = cycles.curves.copy()
    curves[chosen] = fault(curves[chosen])
    return replace(cycles, curves=curves)


def scaled(factor: float, channels: list[int]) -> Fault:
    """Multiplies channels by a factor."""

    def fault(curves: np.ndarray) -> np.ndarray:
        curves[:, channels] *= factor
        return curves

    return fault


def raised(offset: float, channel: str) -> Fault:
    """Adds a number to a channel, in its unit."""

    def fault(curves: np.ndarray) -> np.ndarray:
        curves[:, at(channel)] += offset
        return curves

    return fault


def trembling(curves: np.ndarray) -> np.ndarray:
    """The gluteus medius jumps by 40 % from sample to sample."""
    curves[:, at("force_glmed")] *= 1 + 0.4 * (-1.0) ** np.arange(curves.shape[2])
    return curves


def silent(curves: np.ndarray) -> np.ndarray:
    """The tensor fasciae latae does nothing."""
    curves[:, at("force_tfl")] = 0
    return curves


def exchanged(curves: np.ndarray) -> np.ndarray:
    """The angles of the other leg."""
    others = [INPUT_COORDINATES.index(f"{name[:-1]}{'l' if name[-1] == 'r' else 'r'}") for name in INPUT_COORDINATES]
    curves[:, INPUTS] = curves[:, others]
    return curves


def half_a_cycle_late(curves: np.ndarray) -> np.ndarray:
    """The targets of the other leg, in a symmetric walk."""
    curves[:, TARGETS] = np.roll(curves[:, TARGETS], curves.shape[2] // 2, axis=2)
    return curves


# What is done to a subject's cycles, and the kind and channel of the verdict that tells it.
FAULTS: Mapping[str, tuple[Fault, VerdictKind, str]] = {
    "a moment's sign": (scaled(-1, [at("moment_hip_flexion")]), "sign", "moment_hip_flexion"),
    "an angle's sign": (scaled(-1, [at("hip_adduction_r")]), "sign", "hip_adduction_r"),
    "an angle 30 degrees too high": (raised(30, "hip_flexion_r"), "offset", "hip_flexion_r"),
    "a moment 0.5 N·m/kg too high": (raised(0.5, "moment_hip_flexion"), "offset", "moment_hip_flexion"),
    "angles of the other leg": (exchanged, "sides", "inputs"),
    "targets of the other leg": (half_a_cycle_late, "sides", "targets"),
    "targets a tenth": (scaled(0.1, TARGETS), "scale", "targets"),
    "targets tenfold": (scaled(10, TARGETS), "scale", "targets"),
    "a muscle 4 times too strong": (scaled(4, [at("force_recfem")]), "subject", "force_recfem"),
    "a muscle that trembles": (trembling, "chatter", "force_glmed"),
    "a muscle that is silent": (silent, "flat", "force_tfl"),
}


def main() -> None:
    arguments = _arguments()
    cycles = cycles_of_release(open_release(arguments.release))
    judged, clean = judgeable(cycles), audit_cycles(cycles).verdicts
    kinds = Counter(verdict.kind for verdict in clean)
    print(f"as it is: {len(clean)} verdicts ({dict(kinds)}) on {len(judged) * len(ALL_CHANNELS)} curves of subjects")
    figures = {name: found_in(cycles, judged, clean, *fault) for name, fault in FAULTS.items()}
    print(f"{'fault, in each subject in turn':32} {'found':>12} {'others blamed for it':>22}")
    for name, (found, blamed) in figures.items():
        print(f"{name:32} {found:5d} of {len(judged):3d} {blamed:22d}")
    shares = {n: [too_far(n, features) for features in (1, 3, 7)] for n in (4, 5, 11, 59)}
    print(f"{'normal curves too far, %':32} {'1 feature':>10} {'3':>6} {'7':>6}")
    for n_others, row in shares.items():
        beyond = " ".join(f"{100 * x:8.3f}" for x in row)
        print(f"  {n_others:2d} others, limit {distance_limit(n_others):4.1f}          {beyond}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"n_judged": len(judged), "faults": figures, "normal": shares}, indent=1))


def judgeable(cycles: AuditCycles) -> list[tuple[str, str]]:
    """The subjects and conditions with others enough to be compared with."""
    return [
        (subject, condition)
        for _, condition, members in cycles.groups()
        if len(set(members.subject.tolist())) > LEAST_OTHERS
        for subject in sorted(set(members.subject.tolist()))
    ]


def found_in(
    cycles: AuditCycles,
    judged: list[tuple[str, str]],
    clean: tuple[AuditVerdict, ...],
    fault: Fault,
    kind: VerdictKind,
    channel: str,
) -> tuple[int, int]:
    """In how many subjects and conditions the fault is told, and on how many others there are new verdicts."""
    n_found = n_blamed = 0
    before = {(v.kind, v.subject, v.condition, v.channel) for v in clean}
    for subject, condition in judged:
        chosen = (cycles.subject == subject) & (cycles.condition == condition)
        verdicts = audit_cycles(with_fault(cycles, chosen, fault)).verdicts
        n_found += any(
            (v.kind, v.subject, v.condition, v.channel) == (kind, subject, condition, channel) for v in verdicts
        )
        new = {v.subject for v in verdicts if (v.kind, v.subject, v.condition, v.channel) not in before}
        n_blamed += len(new - {subject})
    return n_found, n_blamed


def too_far(n_others: int, n_features: int, n_curves: int = 40_000) -> float:
    """The share of normally distributed curves of so many features that are beyond the limit."""
    random, phase = np.random.default_rng(0), np.linspace(0, 2 * np.pi, 20)
    waves = [wave(order * phase) / order for order in range(1, n_features // 2 + 1) for wave in (np.sin, np.cos)]
    features = 30 * np.stack([np.ones(20), *waves])
    n_far = n_drawn = 0
    while n_drawn < n_curves:
        curves = random.standard_normal((n_others + 1, len(ALL_CHANNELS), n_features)) @ features
        others = others_of(curves)
        n_far += int((distances(curves, others.center, others.spread) > distance_limit(n_others)).sum())
        n_drawn += curves.shape[0] * curves.shape[1]
    return n_far / n_drawn


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", help="the release's folder")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
