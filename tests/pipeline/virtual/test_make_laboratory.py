from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.session.session import load_session
from pipeline.virtual import make_laboratory as maker
from pipeline.virtual.make_laboratory import make_laboratory, make_session
from pipeline.virtual.records import VirtualSubject
from pipeline.virtual.request import Request, checked_request
from tests.pipeline.virtual.performances import SUBJECT, standing, walking

ASKED: dict[str, Any] = {
    "cohort": "healthy", "subjects": 2, "conditions": "slow,fast", "trials": 2, "seed": 1, "blemishes": "default"
}  # fmt: skip
STEP_S = {"slow": 0.65, "med": 0.55, "fast": 0.5}


@pytest.fixture(autouse=True)
def people_of_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of bodies that move: people whose size and pace come from the streams they are given."""

    def draw(cohort: Any, number: int, rng: np.random.Generator) -> VirtualSubject:
        return replace(SUBJECT, subject_id=f"VH{number:03d}", cohort=cohort, mass_kg=round(rng.uniform(50, 90), 1))

    def walk(_body: object, style: float, condition: str, rng: np.random.Generator):
        return walking(step_m=0.6 + style + rng.uniform(0, 0.01), step_s=STEP_S[condition])

    monkeypatch.setattr(maker, "draw_subject", draw)
    monkeypatch.setattr(maker, "make_body", lambda *_: None)
    monkeypatch.setattr(maker, "own_gait", lambda _, rng: rng.uniform(0, 0.05))
    monkeypatch.setattr(maker, "stand", lambda _: standing())
    monkeypatch.setattr(maker, "walk", walk)


def _request(directory: Path, **changes: object) -> Request:
    return checked_request(directory, **{**ASKED, **changes})


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_subject_has_a_session_of_all_conditions_and_trials(tmp_path: Path) -> None:
    reported: list[Path] = []
    folders = make_laboratory(_request(tmp_path / "lab"), on_session=reported.append)

    assert folders == reported == [tmp_path / "lab" / name / "session-1" for name in ("VH001", "VH002")]
    for folder in folders:
        session = load_session(folder)
        assert {trial.name: trial.condition for trial in session.trials} == {
            "walk_slow_01": "slow", "walk_slow_02": "slow", "walk_fast_01": "fast", "walk_fast_02": "fast"
        }  # fmt: skip
        assert session.key.cohort == "virtual-healthy"
    assert not [path for path in (tmp_path / "lab").rglob(".*")]


def test_every_other_walk_goes_the_other_way(tmp_path: Path) -> None:
    (folder,) = make_laboratory(_request(tmp_path / "lab", subjects=1), on_session=lambda _: None)
    ways = []
    for trial in load_session(folder).trials:
        pelvis = read_c3d(trial.path).marker("R_IAS")
        seen = pelvis[np.isfinite(pelvis[:, 0])]
        ways.append(np.sign(seen[-1, 1] - seen[0, 1]))

    assert ways == [1, -1, 1, -1]


def test_a_session_is_the_same_whoever_and_whatever_else_was_asked_for(tmp_path: Path) -> None:
    together = _request(tmp_path / "together", subjects=2)
    make_laboratory(together, on_session=lambda _: None)
    alone = _files(make_session(_request(tmp_path / "alone", subjects=60), 2))
    fewer = _files(make_session(_request(tmp_path / "fewer", conditions="fast", trials=1), 2))
    before = _files(tmp_path / "together" / "VH002" / "session-1")

    assert alone == before
    assert fewer["walk_fast_01.c3d"] == before["walk_fast_01.c3d"]
    assert fewer["static.c3d"] == before["static.c3d"]


def test_another_seed_or_cohort_is_other_people(tmp_path: Path) -> None:
    first = _files(make_session(_request(tmp_path / "1"), 1))
    seeded = _files(make_session(_request(tmp_path / "2", seed=2), 1))
    other = _files(make_session(_request(tmp_path / "3", cohort="hip-disease"), 1))

    assert len({content["walk_slow_01.c3d"] for content in (first, seeded, other)}) == 3
    assert b'cohort = "virtual-hip-disease"  # virtual, not patients' in other["session.toml"]


def test_the_truth_is_the_same_with_and_without_blemishes(tmp_path: Path) -> None:
    perfect = make_session(_request(tmp_path / "none", blemishes="none"), 1)
    usual = make_session(_request(tmp_path / "default"), 1)
    motions = [pq.read_table(folder / "truth" / "walk_slow_01.motion.parquet") for folder in (perfect, usual)]

    np.testing.assert_array_equal(motions[0]["hip_flexion_r"], motions[1]["hip_flexion_r"])
    assert len(pq.read_table(perfect / "truth" / "blemishes.parquet")) == 0
    assert len(pq.read_table(usual / "truth" / "blemishes.parquet")) > 0


def test_a_session_that_fails_leaves_those_before_it_and_nothing_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = _request(tmp_path / "lab")
    make_session(request, 1)

    def refuse(_: object) -> None:
        raise ValueError("this body can't stand")

    monkeypatch.setattr(maker, "stand", refuse)
    with pytest.raises(ValueError, match="can't stand"):
        make_session(request, 2)
    assert [path.name for path in (tmp_path / "lab").iterdir()] == ["VH001"]


def test_an_occupied_folder_is_refused_again_just_before_writing(tmp_path: Path) -> None:
    request = _request(tmp_path / "lab")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "thesis.docx").touch()

    with pytest.raises(ValueError, match="is not empty"):
        make_laboratory(request, on_session=lambda _: None)
