"""The audit of a release: every check on every group, without verdicts that others explain, and what is not judged."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from reports.audit.absolute.physiology import beyond_physiology, implausible_bodies
from reports.audit.curves import AuditCycles
from reports.audit.far import far_altogether, far_cycles, far_subjects, off_level, out_of_scale, without_repeats
from reports.audit.group import AuditGroup, make_group
from reports.audit.muscles import LEAST_POINTS, chattering, constant_curves, flat_curves
from reports.audit.others import LEAST_OTHERS
from reports.audit.sides import disagreeing_legs, exchanged_sides, flipped_signs
from reports.audit.verdict import Audit, AuditVerdict, ordered
from warehouse.channels import ALL_CHANNELS, INPUT_COORDINATES

_AGAINST_OTHERS = (
    out_of_scale,
    exchanged_sides,
    flipped_signs,
    off_level,
    far_altogether,
    far_subjects,
    far_cycles,
    flat_curves,
)
# This many samples of a cycle are enough to say whether a curve is far or has the wrong sign.
_SAMPLES = 30


def audit_cycles(
    cycles: AuditCycles, known_before: Sequence[AuditVerdict] = (), not_judged: Sequence[str] = ()
) -> Audit:
    """Judge a release's cycles.

    `known_before` and `not_judged` come from the warehouse, which holds what a release leaves out (`absolute/`).
    """
    verdicts = [*known_before, *implausible_bodies(cycles)]
    unknown = list(not_judged)
    compared: set[str] = set()
    points = cycles.curves.shape[2]
    if points < LEAST_POINTS:
        unknown.append(f"chatter: cycles of {points} samples are too coarse, {LEAST_POINTS} are needed")
    for cohort, condition, members in cycles.groups():
        group = make_group(cohort, condition, members.thinned(max(1, points // _SAMPLES)))
        if group.others is not None:
            compared |= set(group.subjects)
        verdicts_of_group = [
            *_against_others(group),
            *disagreeing_legs(group),
            *constant_curves(group),
            *beyond_physiology(_whole(group, members)),
        ]
        if points >= LEAST_POINTS:
            verdicts_of_group += chattering(_whole(group, members))
        verdicts += unexplained(verdicts_of_group)
        unknown += _too_few(group)
    return Audit(
        verdicts=ordered(verdicts),
        not_judged=tuple(unknown),
        n_cycles=len(cycles),
        n_subjects=len(set(cycles.subject.tolist())),
        n_compared=len(compared),
    )


def unexplained(verdicts: Sequence[AuditVerdict]) -> list[AuditVerdict]:
    """The verdicts that no other verdict on the same subject and condition explains, so that a cause is reported once.

    A wrong scale or exchanged sides make every channel of their set far and some signs wrong; a wrong sign makes its
    channel far and the legs disagree; a wrong level makes its channel far.
    """
    causes: dict[tuple[str, str | None], list[AuditVerdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.kind in ("scale", "sides", "sign", "offset"):
            causes[verdict.subject, verdict.condition].append(verdict)
    return [
        verdict
        for verdict in verdicts
        if not any(_explains(cause, verdict) for cause in causes[verdict.subject, verdict.condition])
    ]


def _explains(cause: AuditVerdict, effect: AuditVerdict) -> bool:
    """Whether a wrong scale, side, sign or level is the cause of another verdict on the same subject and condition."""
    if not _covers(cause, effect):
        return False
    if cause.kind == "scale":
        return (
            effect.kind in ("offset", "subject", "cycle", "flat", "physiology")
            and effect.channel not in INPUT_COORDINATES
        )
    if cause.kind == "sides":
        return effect.kind in ("scale", "sign", "offset", "left and right", "subject", "cycle") and (
            (effect.channel in INPUT_COORDINATES) == (cause.channel == "inputs")
        )
    if effect.channel != cause.channel:
        return False
    if cause.kind == "sign":
        return effect.kind in ("offset", "left and right", "subject", "cycle", "physiology")
    return effect.kind in ("subject", "cycle", "physiology")


def _covers(cause: AuditVerdict, effect: AuditVerdict) -> bool:
    """Whether the cause is about all that the effect is about: one cycle's fault does not make its subject far."""
    # The verdict that two legs disagree names both; its cause may be one whole leg.
    if effect.kind == "left and right":
        return cause.trial is None
    return all(getattr(cause, name) in (None, getattr(effect, name)) for name in ("session", "trial", "side", "cycle"))


def _against_others(group: AuditGroup) -> Iterator[AuditVerdict]:
    if group.others is None:
        return
    for check in _AGAINST_OTHERS:
        yield from check(group, group.others)


def _whole(group: AuditGroup, members: AuditCycles) -> AuditGroup:
    """The same group with every sample of its cycles."""
    return AuditGroup(
        cohort=group.cohort,
        condition=group.condition,
        cycles=members,
        subjects=group.subjects,
        medians=group.medians,
        others=group.others,
    )


def _too_few(group: AuditGroup) -> Iterator[str]:
    where, needed = f"{group.cohort}, {group.condition}", f"{LEAST_OTHERS + 1} are needed"
    if group.others is None:
        yield (
            f"{where}: {len(group.subjects)} subjects are too few to say who is far from the others or against them, "
            f"{needed}"
        )
        return
    n_known = np.isfinite(group.medians).all(axis=-1).sum(axis=0)
    for n in range(1, LEAST_OTHERS + 1):
        channels = [name for name, n_subjects in zip(ALL_CHANNELS, n_known, strict=True) if n_subjects == n]
        if channels:
            yield (
                f"{where}: {n} of {len(group.subjects)} subjects know {', '.join(channels)}, too few to say who is far "
                f"from the others or against them in those, {needed}"
            )
    alone = without_repeats(group, group.others)
    if alone:
        yield (
            f"{where}: nobody has two cycles that know {_named(alone)}, so that there a cycle can't be told from its "
            "subject"
        )


def _named(channels: Sequence[str]) -> str:
    return "any channel" if len(channels) == len(ALL_CHANNELS) else ", ".join(channels)
