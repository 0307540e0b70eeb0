"""The doctor says what is well, what is not, and what to do."""

from pathlib import Path

import pytest

from flows import doctor
from flows.doctor import Finding, examine, findings_in_words
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what takes seconds: OpenSim, torch and Prefect have tests of their own."""
    monkeypatch.setattr(doctor, "_in_a_process", lambda about, *_: Finding(about=about, state="well", found="4.6"))
    monkeypatch.setattr(doctor, "_prefect", lambda: Finding(about="Prefect", state="well", found="answers"))


def about(findings: list[Finding], name: str) -> list[Finding]:
    return [finding for finding in findings if finding.about == name]


def test_a_whole_machine_has_no_problem(quick: None) -> None:
    findings = list(examine(None))
    assert not [finding for finding in findings if finding.state == "problem"]
    assert "opensim 4.6" in about(findings, "pipeline")[0].found


def test_what_is_not_installed_is_a_note_and_says_what_to_install(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"pipeline": ("opensim", "no-such-package")})
    (finding,) = about(list(examine(None)), "pipeline")
    assert finding.state == "note" and "no-such-package not installed" in finding.found
    assert "gait2hip[pipeline]" in finding.advice


def test_a_full_disk_is_a_problem(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_SPACE_GB", 1e9)
    (finding,) = about(list(examine(None)), "temporary files")
    assert finding.state == "problem" and "TMPDIR" in finding.advice


def test_a_warehouse_that_is_not_there_is_a_problem(quick: None, tmp_path: Path) -> None:
    (finding,) = about(list(examine(str(tmp_path / "none"))), "warehouse")
    assert finding.state == "problem" and "there is no warehouse" in finding.found


def test_damage_and_lost_recordings_are_told(quick: None, tmp_path: Path) -> None:
    (tmp_path / "trials" / "adults" / "S01" / "s1").mkdir(parents=True)
    (tmp_path / "trials" / "adults" / "S01" / "s1" / "walk.parquet").write_bytes(b"PAR1 cut short")
    key = SessionKey(cohort="adults", subject="S01", session="s1")
    gone = str(tmp_path / "gone" / "session.toml")
    remember_source(Warehouse(str(tmp_path)), SessionSource(key=key, session_file=gone, recipe="any", model=None))
    findings = list(examine(str(tmp_path)))
    assert "1 files damaged" in about(findings, "warehouse")[-1].found
    assert gone in about(findings, "recordings")[0].found


def test_advice_stands_under_its_finding() -> None:
    lines = findings_in_words(
        [Finding(about="disk", state="problem", found="1 GB free", advice="make room")]
    ).splitlines()
    assert lines == ["BAD   disk: 1 GB free", "      make room"]
