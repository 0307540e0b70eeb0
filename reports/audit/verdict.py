"""A verdict: what looks wrong, where, how far beyond its limit, and why it matters."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

from warehouse.errors import WarehouseError
from warehouse.settings_file import parse_json

VerdictKind = Literal[
    "body",
    "ground",
    "physiology",
    "scale",
    "sides",
    "sign",
    "offset",
    "left and right",
    "subject",
    "cycle",
    "saturated",
    "flat",
    "chatter",
]

# In the order in which a person should look: faults of a whole subject first.
VERDICT_KINDS: tuple[VerdictKind, ...] = get_args(VerdictKind)

WHY: Mapping[VerdictKind, str] = {
    "body": "Mass divides every target: a wrong one scales all of this subject's. Look at session.toml.",
    "ground": "No foot's ground reaction is like that: a plate's unit, axis or sign is wrong. Look at its channels.",
    "physiology": "Nobody walks with it, whatever the others do: a unit, a sign, a mass or a plate is wrong.",
    "scale": "All targets are too large or too small by one factor: a wrong body mass, or forces in another unit.",
    "sides": "The curves fit the others' half a cycle later: left and right are exchanged, or a step was missed.",
    "sign": "The curve runs against everybody else's: an axis or a sign is wrong.",
    "offset": "The whole curve lies too high or too low: a zero, a static trial or a pelvis marker is wrong.",
    "left and right": "The two legs' curves run against each other: one of them has a wrong axis or sign.",
    "subject": "The subject is far from the others, and can rule an error that is averaged over few subjects.",
    "cycle": "The cycle is far from the others while its subject is not: a contact, an event or a marker went wrong.",
    "saturated": "The muscle is at full activation: the motion asks for more than the model can give.",
    "flat": "The curve stands still in a walk: a muscle, an angle or a moment is missing, or was never filled in.",
    "chatter": "The force jumps from frame to frame: noise of markers or of the optimizer, which no muscle can follow.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """One thing that looks wrong.

    `subject` is `cohort/subject`. `session`, `trial` and `cycle` are None for all of the subject's cycles in the
    condition, `side` for both legs, `condition` for all conditions. `channel` is a column of the release, or `inputs`
    or `targets` for all of them. `score` is beyond `limit`; `found` says in words what was found and what both measure.
    """

    kind: VerdictKind
    subject: str
    condition: str | None
    session: str | None = None
    trial: str | None = None
    side: str | None = None
    cycle: int | None = None
    channel: str
    score: float
    limit: float
    found: str

    @property
    def where(self) -> str:
        """The subject, with the session, trial, side, cycle and condition that the verdict is limited to."""
        parts = [part for part in (self.subject, self.session, self.trial) if part is not None]
        words = ["/".join(parts)]
        if self.condition is not None and self.trial is None:
            words.append(self.condition)
        if self.side is not None:
            words.append(self.side)
        if self.cycle is not None:
            words.append(f"cycle {self.cycle}")
        return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Every verdict, in the order in which to look at them, and what could not be judged, with the reason.

    `n_compared` of the subjects had others to be compared with, in one condition at least; None in older audits.
    """

    verdicts: tuple[AuditVerdict, ...]
    not_judged: tuple[str, ...]
    n_cycles: int
    n_subjects: int
    n_compared: int | None

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects with a verdict, sorted."""
        return tuple(sorted({verdict.subject for verdict in self.verdicts}))

    def as_plain(self) -> dict[str, object]:
        """Plain data, for `audit.json`."""
        return {
            "n_cycles": self.n_cycles,
            "n_subjects": self.n_subjects,
            "n_compared": self.n_compared,
            "not_judged": list(self.not_judged),
            "verdicts": [{**asdict(verdict), "why": WHY[verdict.kind]} for verdict in self.verdicts],
        }


def parse_audit(where: str, raw: bytes) -> Audit:
    """Read `audit.json`, the inverse of `as_plain`. WarehouseError names a file (`where`) that is no audit."""
    try:
        entries = parse_json(where, raw)
        verdicts = ({name: value for name, value in entry.items() if name != "why"} for entry in entries["verdicts"])
        return Audit(
            verdicts=tuple(AuditVerdict(**verdict) for verdict in verdicts),
            not_judged=tuple(entries["not_judged"]),
            n_cycles=entries["n_cycles"],
            n_subjects=entries["n_subjects"],
            n_compared=entries.get("n_compared"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WarehouseError(
            f"{where} is no audit that this gait2hip reads ({error}). Cut the release again."
        ) from error


def ordered(verdicts: Sequence[AuditVerdict]) -> tuple[AuditVerdict, ...]:
    """Verdicts sorted by kind, subject and channel, with scores rounded to four digits."""
    # Sums differ between processors in their last digits; the bytes of a release must not.
    rounded = (replace(verdict, score=float(f"{verdict.score:.4g}")) for verdict in verdicts)
    return tuple(sorted(rounded, key=_place))


def _place(verdict: AuditVerdict) -> tuple[object, ...]:
    return (
        VERDICT_KINDS.index(verdict.kind),
        verdict.subject,
        verdict.condition or "",
        verdict.session or "",
        verdict.trial or "",
        verdict.side or "",
        -1 if verdict.cycle is None else verdict.cycle,
        verdict.channel,
    )
