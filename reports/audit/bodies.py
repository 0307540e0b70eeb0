"""Body masses that can't be right: every target is divided by them."""

from collections.abc import Iterator

from reports.audit.curves import AuditCycles
from reports.audit.verdict import AuditVerdict

# Body mass index, kg/m²: half of the third centile of healthy children, and more than any gait laboratory sees. These
# limits catch typing errors, not unusual bodies.
LEAST, MOST = 8.0, 70.0


def implausible_bodies(cycles: AuditCycles) -> Iterator[AuditVerdict]:
    """Subjects whose mass and height can't be those of one person."""
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
