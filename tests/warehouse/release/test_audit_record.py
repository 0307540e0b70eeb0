import json
from pathlib import Path

import pytest

from tests.warehouse.release.conftest import Order
from tests.warehouse.samples import N_SAMPLES
from warehouse.layout import Warehouse
from warehouse.release.audit_record import AuditRecord, UnreleasedCycles
from warehouse.release.build import build_release


def test_a_release_holds_what_its_audit_says_of_the_cycles_it_was_given(filled: Warehouse, order: Order) -> None:
    seen: list[UnreleasedCycles] = []
    n_rows: list[int] = []

    def audit(cycles: UnreleasedCycles) -> AuditRecord:
        seen.append(cycles)
        n_rows.extend(table.num_rows for table in cycles.tables(["subject", "force_glmed"]))
        return AuditRecord(summary="one knee looks odd", content={"odd": ["left knee"]})

    release = build_release(filled, order(audit=audit))

    (cycles,) = seen
    assert (cycles.points, cycles.sides, len(cycles.trials)) == (N_SAMPLES, "both", 6)
    assert sum(n_rows) == 18 * N_SAMPLES
    assert json.loads(release.read("audit.json")) == {"odd": ["left knee"]}
    assert "One knee looks odd. Each verdict is in `audit.json`" in release.read("README.md").decode()


def test_an_audit_that_fails_leaves_no_release(filled: Warehouse, order: Order) -> None:
    def audit(cycles: UnreleasedCycles) -> AuditRecord:
        raise ValueError(f"{len(cycles.trials)} trials can't be judged")

    with pytest.raises(ValueError, match="6 trials can't be judged"):
        build_release(filled, order(audit=audit))

    assert list(Path(filled.base, "releases").iterdir()) == []


def test_a_record_without_a_summary_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a summary"):
        AuditRecord(summary="", content={})
