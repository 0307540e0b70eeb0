"""Masses that can't be right: they divide every target."""

from collections.abc import Iterator

from reports.audit.curves import AuditCycles
from reports.audit.verdict import AuditVerdict

# Body mass index, kg/m². Half of the third centile of healthy children, and beyond what a gait laboratory sees: this
# finds a slip of the pen, not an unusual body.
LEAST, MOST = 8.0, 70.0


def implausible_bodies(cycles: AuditCycles) -> Iterator[AuditVerdict]:
    """Subjects whose mass and height don't belong to one person."""
    bodies = zip(cycles.subject.tolist(), cycles.mass_kg.tolist(), cycles.height_m.tolist(), strict=True)
    for subject, mass_kg, height_m in sorted(set(bodies)):
        index = mass_kg / height_m**2
        if not LEAST <= index <= MOST:
            yield AuditVerdict(
                kind="body",
                subject=subject,
                condition=None,
                channel="targets",
                score=float(index),
                limit=LEAST if index < LEAST else MOST,
                found=f"{mass_kg:g} kg at {height_m:g} m, a body mass index of {index:.3g} kg/m²",
            )
