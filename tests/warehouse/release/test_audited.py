from pathlib import Path

import pytest

from reports.audit.audit import audit
from reports.audit.release import audit_of, cycles_of_release
from tests.warehouse.one_file import write_row, write_table
from tests.warehouse.release.conftest import Order, trial
from tests.warehouse.samples import MADE, cycles_columns, trial_row
from warehouse.errors import WarehouseError
from warehouse.layout import Warehouse
from warehouse.release.build import build_release
from warehouse.release.publish import Release


@pytest.fixture
def release(filled: Warehouse, order: Order) -> Release:
    """One subject's hip flexion moment has the wrong sign on the left."""
    key = trial("children", "K02")
    columns = cycles_columns(condition="free")
    columns["moment_hip_flexion"] = columns["moment_hip_flexion"] * ((columns["side"] == "right") * 2.0 - 1)
    write_table(filled, "cycles", key, columns, **MADE)
    write_row(filled, "trials", key, trial_row(condition="free"), **MADE)
    return build_release(filled, order())


def test_a_release_records_what_its_cycles_tell(release: Release) -> None:
    cycles = cycles_of_release(release)
    recorded = audit_of(release, cycles)

    assert recorded.verdicts == audit(cycles).verdicts
    assert recorded.n_cycles == len(cycles) == 18
    assert "saturation: nothing is known of the activations in 6 trials" in recorded.not_judged


def test_a_release_of_before_is_audited_from_its_cycles(release: Release) -> None:
    files = {name: file for name, file in release.manifest.files.items() if name != "audit.json"}
    before = Release(root=release.root, manifest=release.manifest.model_copy(update={"files": files}))

    found = audit_of(before, cycles_of_release(before))

    assert found.verdicts == audit_of(release, cycles_of_release(release)).verdicts
    assert found.not_judged[0].startswith("saturation: the release was cut before releases were audited")


def test_another_audit_than_the_recorded_one_is_refused(release: Release) -> None:
    Path(release.root.base, "audit.json").write_text('{"verdicts": [], "not_judged": [], "n_cycles": 1}')

    with pytest.raises(WarehouseError, match=r"audit\.json is not what the release was published with"):
        audit_of(release, cycles_of_release(release))
