"""The audit of a release: made while the release is cut, read back from it afterwards."""

from reports.audit.absolute.ground import impossible_ground_reactions
from reports.audit.absolute.saturated import saturated_muscles
from reports.audit.audit import audit_cycles
from reports.audit.curves import AUDITED_COLUMNS, AuditCycles, read_cycles
from reports.audit.table import audit_summary
from reports.audit.verdict import Audit, parse_audit
from warehouse.layout import file_path
from warehouse.release.arrays import cycle_tables
from warehouse.release.audit_record import AuditRecord, UnreleasedCycles
from warehouse.release.manifest import AUDIT_FILE
from warehouse.release.publish import Release

_NOT_RECORDED = "saturation: the release was cut before releases were audited, and holds no activations"


def audit_for_release(cycles: UnreleasedCycles) -> AuditRecord:
    """Audit the cycles of a release that is being cut: what a `ReleaseOrder` takes as its `audit`.

    WarehouseError if a table that a trial's row vouches for can't be read.
    """
    saturated, inactive = saturated_muscles(cycles.warehouse, cycles.trials, cycles.sides)
    ground, off_plates = impossible_ground_reactions(cycles.warehouse, cycles.trials)
    read = read_cycles(cycles.tables(AUDITED_COLUMNS), cycles.points)
    audit = audit_cycles(read, [*saturated, *ground], [*inactive, *off_plates])
    return AuditRecord(summary=audit_summary(audit), content=audit.as_plain())


def cycles_of_release(release: Release) -> AuditCycles:
    """Every cycle of a release. WarehouseError if its file was changed since it was published."""
    return read_cycles(cycle_tables(release, AUDITED_COLUMNS), release.manifest.points)


def audit_of(release: Release, cycles: AuditCycles) -> Audit:
    """The audit recorded in a release; for a release cut before releases were audited, one made from its cycles.

    WarehouseError if the recorded audit was changed.
    """
    if AUDIT_FILE in release.manifest.files:
        return parse_audit(file_path(release.root, AUDIT_FILE), release.read(AUDIT_FILE))
    return audit_cycles(cycles, not_judged=[_NOT_RECORDED])
