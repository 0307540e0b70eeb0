import os
import random
import time
from pathlib import Path

import pytest

from benchmarks import fuzz
from benchmarks.fuzz import DAMAGES, READERS, Child, damaged, is_statement, made_seeds, tried


def test_every_seed_is_read_by_its_reader(tmp_path: Path) -> None:
    seeds = made_seeds()
    assert seeds.keys() == READERS.keys()
    for name, data in seeds.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert tried(path, READERS[name]).outcome == "read", name


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_changes_bytes(damage: object) -> None:
    chance = random.Random(3)
    assert any(damage(bytes(range(200)), (20, 40), chance) != bytes(range(200)) for _ in range(5))  # type: ignore[operator]


def test_a_seed_gives_the_same_damage() -> None:
    data = made_seeds()["walk.trc"]
    assert damaged(data, random.Random(5)) == damaged(data, random.Random(5)) != data


def test_statements_end_where_the_frames_begin() -> None:
    data = made_seeds()["walk.c3d"]
    start = 512 * (data[16] - 1)
    assert is_statement(data, data[:600] + b"?" + data[601:])
    assert not is_statement(data, data[: start + 9] + b"?" + data[start + 10 :])
    assert not is_statement(data, data)


def refuses(path: Path) -> None:
    raise ValueError(f"{path.name}: no.")


def refuses_without_a_name(_path: Path) -> None:
    raise ValueError("no.")


def fails(_path: Path) -> None:
    raise KeyError("x")


def hangs(_path: Path) -> None:
    time.sleep(600)


def dies(_path: Path) -> None:
    os._exit(3)


def grows(_path: Path) -> None:
    bytearray(fuzz.MEMORY_LIMIT_BYTES + 2**20)


@pytest.mark.parametrize(
    ("reader", "outcome"),
    [
        (refuses, "refused"),
        (refuses_without_a_name, "unnamed"),
        (fails, "KeyError"),
        (hangs, "hang"),
        (dies, "crash"),
        (grows, "MemoryError"),
    ],
)
def test_what_may_come_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: fuzz.Reader, outcome: str
) -> None:
    monkeypatch.setattr(fuzz, "READERS", {"walk.c3d": reader})
    # A busy machine takes its time to refuse.
    monkeypatch.setattr(fuzz, "TIME_LIMIT_S", 0.5 if outcome == "hang" else 60.0)
    child = Child()
    assert child.read(tmp_path / "walk.c3d").outcome == outcome
    child.close()


def test_failing_files_are_kept_with_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "READERS", {"walk.trc": fails})
    counts = fuzz.fuzz(0.3, 1, tmp_path, [("walk.trc", made_seeds()["walk.trc"])])
    tries = counts["walk.trc"]["tries"]
    assert counts["walk.trc"]["FAILED KeyError"] == tries > 0
    kept = list(tmp_path.glob("*.trc"))
    assert 0 < len(kept) <= tries
    assert kept[0].with_suffix(".txt").read_text().startswith("KeyError")
