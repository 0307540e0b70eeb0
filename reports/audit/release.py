"""The audit of a release that is there: what it records of itself, or what its cycles alone tell."""

from reports.audit.audit import audit
from reports.audit.curves import NEEDED, AuditCycles, read_cycles
from reports.audit.verdict import Audit, parse_audit
from warehouse.layout import file_path
from warehouse.release.arrays import cycle_tables
from warehouse.release.manifest import AUDIT
from warehouse.release.publish import Release

_NOT_RECORDED = "saturation: the release was cut before releases were audited, and holds no activations"


def cycles_of_release(release: Release) -> AuditCycles:
    """Every cycle of a release. WarehouseError if its file is not what it was published with."""
    return read_cycles(cycle_tables(release, NEEDED), release.manifest.points)


def audit_of(release: Release, cycles: AuditCycles) -> Audit:
    """The verdicts that a release records; of one cut before releases were audited, those that its cycles tell.

    WarehouseError if what it records was changed.
    """
    if AUDIT in release.manifest.files:
        return parse_audit(file_path(release.root, AUDIT), release.read(AUDIT))
    return audit(cycles, not_judged=[_NOT_RECORDED])
