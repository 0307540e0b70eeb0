"""The same recordings ingested a second time: nothing is done, and no byte changes."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity.recorded_sessions import Ingested, run

pytestmark = [pytest.mark.osim, pytest.mark.data]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_second_ingest_changes_no_byte(ingested: Ingested, record_figure: Callable[[str, str, str], None]) -> None:
    assert "0 of 15 were up to date" in ingested.printed
    before = hashes(ingested.root)
    began = time.perf_counter()
    printed = run(ingested.command)
    took_s = time.perf_counter() - began
    assert "15 of 15 were up to date" in printed
    assert hashes(ingested.root) == before
    record_figure("files changed by a second ingest", f"0 of {len(before)} in {took_s:.0f} s", "0")
