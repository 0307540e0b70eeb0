import re
from pathlib import Path

import pytest

from reports.audit.audit import audit_cycles
from reports.audit.release import audit_for_release, audit_of, cycles_of_release
from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.one_file import write_row, write_table
from tests.warehouse.samples import MADE, cycles_columns, trial_row
from warehouse.errors import WarehouseError
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.release.build import ReleaseOrder, build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.publish import Release
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_none

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Two subjects; the second one's hip flexion moment has the wrong sign on the left."""
    warehouse = Warehouse(str(tmp_path / "warehouse"))
    keys = [TrialKey(cohort="children", subject=name, session="day1", trial="walk") for name in ("K01", "K02")]
    for key in keys:
        store_whole_trial(warehouse, key, condition="free")
    columns = cycles_columns(condition="free")
    columns["moment_hip_flexion"] = columns["moment_hip_flexion"] * ((columns["side"] == "right") * 2.0 - 1)
    write_table(warehouse, "cycles", keys[1], columns, **MADE)
    write_row(warehouse, "trials", keys[1], trial_row(condition="free"), **MADE)
    order = ReleaseOrder(
        name="first",
        selection=Selection(),
        sampling=Sampling(sides="both", points=None),
        split=hold_out_none,
        audit=audit_for_release,
        licence=None,
    )
    return build_release(warehouse, order)


def test_a_release_records_what_its_cycles_tell(release: Release) -> None:
    cycles = cycles_of_release(release)
    recorded = audit_of(release, cycles)

    assert recorded.verdicts == audit_cycles(cycles).verdicts
    assert recorded.verdicts != ()
    assert recorded.n_cycles == len(cycles) == 6
    assert "saturation: nothing is known of the activations in 2 trials" in recorded.not_judged


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


def test_whatever_orders_a_release_has_it_audited() -> None:
    orders = {
        file.relative_to(REPOSITORY).as_posix(): re.findall(r"\bReleaseOrder\((.*?)\n\s*\)\n", text, re.DOTALL)
        for room in ("flows", "benchmarks")
        for file in sorted((REPOSITORY / room).rglob("*.py"))
        if "ReleaseOrder(" in (text := file.read_text("utf-8"))
    }

    assert {"flows/commands/datasets/release.py", "flows/learning/retrain.py"} <= set(orders)
    for file, entries in orders.items():
        assert entries, file
        assert all("audit=audit_for_release," in entry for entry in entries), file
