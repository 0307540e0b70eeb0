"""What an audit says of the recorded adults' walks: no verdict as they are, and each known fault once it is put in."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.audit import FAULTS, found_in, judgeable
from reports.audit.release import audit_for_release, audit_of, cycles_of_release
from tests.parity.recorded_sessions import Ingested
from warehouse.layout import Warehouse
from warehouse.release.build import ReleaseOrder, build_release
from warehouse.release.cycles_file import Sampling
from warehouse.release.publish import Release
from warehouse.release.selection import Selection
from warehouse.release.split import hold_out_none

pytestmark = [pytest.mark.osim, pytest.mark.data]

# Told in every subject, whatever the five others are like.
ALWAYS_FOUND = [name for name in FAULTS if name != "a muscle 4 times too strong"]


@pytest.fixture(scope="module")
def release(ingested: Ingested, tmp_path_factory: pytest.TempPathFactory) -> Release:
    root = tmp_path_factory.mktemp("audited") / "warehouse"
    for table in ("subjects", "sessions", "trials", "cycles", "activations", "grf"):
        shutil.copytree(ingested.root / table, root / table)
    order = ReleaseOrder(
        name="recorded",
        selection=Selection(),
        sampling=Sampling(sides="both", points=None),
        split=hold_out_none,
        audit=audit_for_release,
        licence=None,
    )
    return build_release(Warehouse(str(root)), order)


# Six adults at two speeds, but for adult 2014001's at 2.3 m/s: no muscles of the model's strength give its moments, and
# it is rejected for its reserves. The audit called it suspicious as long as it was let through.
N_JUDGED = 11


def test_the_recorded_walks_have_no_verdict_and_the_card_says_so(
    release: Release, record_figure: Callable[[str, str, str], None]
) -> None:
    found = audit_of(release, cycles_of_release(release))

    record_figure("audit of nine people's walks: verdicts", str(len(found.verdicts)), "0")
    assert not found.verdicts
    assert [text.partition(":")[0] for text in found.not_judged] == ["children, free"]
    card = Path(release.root.base, "README.md").read_text()
    assert "Nothing suspicious in" in card


@pytest.mark.parametrize("name", ALWAYS_FOUND)
def test_a_fault_put_into_any_adult_is_told(
    name: str, release: Release, record_figure: Callable[[str, str, str], None]
) -> None:
    cycles = cycles_of_release(release)
    judged, clean = judgeable(cycles), audit_of(release, cycles).verdicts

    n_found, n_blamed = found_in(cycles, judged, clean, *FAULTS[name])

    record_figure(f"audit: {name}, told", f"{n_found} of {len(judged)}", "all")
    assert len(judged) == N_JUDGED
    assert n_found == N_JUDGED
    # With five others, one that is far off leaves four and a half to compare with.
    assert n_blamed <= 3
