"""A made-up cohort whose cycles are all right, to have faults put into: every subject and cycle a little different."""

import numpy as np

from benchmarks.audit import Fault, with_fault
from reports.audit.audit import audit_cycles
from reports.audit.curves import AuditCycles
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS

# How large a channel is: degrees, N/kg, N·m/kg.
SIZE = {
    **dict.fromkeys(INPUT_COORDINATES, 15.0),
    **dict.fromkeys(FORCE_CHANNELS, 3.0),
    **dict.fromkeys(MOMENT_CHANNELS, 0.8),
    "moment_hip_rotation": 0.3,
}
# The subject into whose cycles faults are put.
WHO = "adults/S03"


def made_up(
    n_subjects: int = 12, points: int = 180, seed: int = 0, conditions: tuple[str, ...] = ("med",)
) -> AuditCycles:
    """Each subject walks two trials in each condition, with a right and a left cycle in each."""
    random = np.random.default_rng(seed)
    rows = []
    for subject in range(n_subjects):
        build = 1 + 0.12 * random.standard_normal((len(ALL_CHANNELS), 1))
        style = 0.06 * random.standard_normal((len(ALL_CHANNELS), 4))
        for condition in conditions:
            for trial in ("t1", "t2"):
                for side in ("left", "right"):
                    own = style + 0.02 * random.standard_normal(style.shape)
                    rows.append((f"adults/S{subject:02d}", condition, trial, side, build * _curves(own, points)))
    subject, condition, trial, side, curves = zip(*rows, strict=True)
    n = len(rows)
    return AuditCycles(
        subject=np.array(subject),
        cohort=np.full(n, "adults"),
        session=np.full(n, "day1"),
        trial=np.array(trial),
        condition=np.array(condition),
        side=np.array(side),
        cycle=np.zeros(n, dtype=int),
        mass_kg=np.full(n, 70.0),
        height_m=np.full(n, 1.75),
        curves=np.array(curves, dtype=np.float32),
    )


def _curves(style: np.ndarray, points: int) -> np.ndarray:
    phase = 2 * np.pi * np.linspace(0, 1, points)
    waves = np.stack([np.cos(phase), np.sin(phase), np.cos(2 * phase), np.sin(2 * phase)])
    return np.stack([SIZE[name] * _curve(name, index, phase) for index, name in enumerate(ALL_CHANNELS)]) + (
        np.array([SIZE[name] for name in ALL_CHANNELS])[:, None] * (style @ waves)
    )


def _curve(name: str, index: int, phase: np.ndarray) -> np.ndarray:
    if name in INPUT_COORDINATES:
        # The other leg does the same half a cycle later.
        late = np.pi if name.endswith("_l") else 0.0
        lead = 0.5 * [other[:-2] for other in INPUT_COORDINATES[:3] + INPUT_COORDINATES[6:8]].index(name[:-2])
        return np.cos(phase - late + lead) + 0.3 * np.cos(2 * (phase - late))
    # A burst somewhere in the cycle, as muscles have them, on a tone that keeps them from pushing.
    tone = 0.4 if name in FORCE_CHANNELS else 0.0
    return tone + np.exp(2 * (np.cos(phase - 0.2 * index) - 1))


def found(cycles: AuditCycles) -> list[tuple[str, str, str]]:
    return [(verdict.kind, verdict.where, verdict.channel) for verdict in audit_cycles(cycles).verdicts]


def of(cycles: AuditCycles, **words: object) -> np.ndarray:
    return np.logical_and.reduce([getattr(cycles, name) == word for name, word in words.items()])


def unknown_in(cycles: AuditCycles, chosen: np.ndarray, channels: list[int]) -> AuditCycles:
    def unknown(curves: np.ndarray) -> np.ndarray:
        curves[:, channels] = np.nan
        return curves

    return with_fault(cycles, chosen, unknown)


def constant(channels: list[int], value: float = 0.0) -> Fault:
    def fault(curves: np.ndarray) -> np.ndarray:
        curves[:, channels] = value
        return curves

    return fault
