"""A release's cycles: names, order and units arrive as they are stored."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.data import released_cycles
from models.data.channels import TASK_TARGETS, Task
from models.data.released_cycles import load_released_cycles
from tests.models.made_release import made_release
from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS
from warehouse.release.arrays import CycleArrays
from warehouse.release.publish import open_release
from warehouse.release.split import ReleaseSplit

SUBJECTS = np.array(["adults/a", "adults/a", "adults/b", "adults/c"])
SPLIT = ReleaseSplit(method="names", train=("adults/a", "adults/b", "adults/gone"), test=("adults/c",))


@pytest.fixture
def _one_release(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = SimpleNamespace(name="first", as_bytes=lambda: b"all of it")
    monkeypatch.setattr(released_cycles, "open_release", lambda _root: SimpleNamespace(manifest=manifest))
    monkeypatch.setattr(released_cycles, "read_split", lambda _release: SPLIT)
    monkeypatch.setattr(released_cycles, "load", lambda _root, kinds, _allocate: _arrays(kinds, n_cycles=4))


def _arrays(kinds: tuple[str, ...], n_cycles: int) -> CycleArrays:
    def block(width: int, first: float) -> np.ndarray:
        return np.broadcast_to(first + np.arange(width, dtype=np.float32), (n_cycles, 5, width))

    forces, moments = FORCE_CHANNELS if "forces" in kinds else (), MOMENT_CHANNELS if "moments" in kinds else ()
    words = np.full(n_cycles, "x")
    numbers = np.arange(n_cycles, dtype=float)
    return CycleArrays(
        inputs_deg=block(10, 0),
        forces_n_kg=block(len(forces), 100),
        moments_nm_kg=block(len(moments), 200),
        loads_n_kg=block(0, 0),
        input_names=INPUT_COORDINATES,
        force_names=forces,
        moment_names=moments,
        load_names=(),
        subject=SUBJECTS[:n_cycles],
        session=words,
        trial=words,
        condition=words,
        side=words,
        cycle=numbers,
        mass_kg=60 + numbers,
        height_m=1 + numbers,
        duration_s=2 + numbers,
        train=np.isin(SUBJECTS[:n_cycles], SPLIT.train),
        test=np.isin(SUBJECTS[:n_cycles], SPLIT.test),
        left_out=(),
    )


@pytest.mark.usefixtures("_one_release")
@pytest.mark.parametrize(
    ("task", "first_target", "n_targets"), [("forces", 100, 14), ("moments", 200, 3), ("both", 100, 17)]
)
def test_a_task_s_targets_come_in_their_order(task: Task, first_target: float, n_targets: int) -> None:
    released = load_released_cycles("R", task)

    assert released.cycles.measured().shape == (4, 5, n_targets)
    assert released.cycles.measured()[0, 0, 0] == first_target
    assert released.cycles.target_channels == TASK_TARGETS[task]
    np.testing.assert_array_equal(released.cycles.mass_kg, [60, 61, 62, 63])
    np.testing.assert_array_equal(released.cycles.duration_s, [2, 3, 4, 5])
    assert released.identity == "first-" + hashlib.sha256(b"all of it").hexdigest()[:12]


@pytest.mark.usefixtures("_one_release")
def test_subjects_without_whole_cycles_are_not_in_the_split() -> None:
    split = load_released_cycles("R", "forces").split

    assert (split.train, split.test) == (("adults/a", "adults/b"), ("adults/c",))


@pytest.mark.usefixtures("_one_release")
def test_a_release_without_a_whole_cycle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released_cycles, "load", lambda _root, kinds, _allocate: _arrays(kinds, n_cycles=0))

    with pytest.raises(ValueError, match="no cycle with all of its forces known"):
        load_released_cycles("R", "forces")


def test_the_same_cycles_split_otherwise_are_another_release(tmp_path: Path) -> None:
    roots = [made_release(tmp_path / name, held_out=number) for name, number in (("a", 0), ("b", 1), ("again", 0))]

    assert len({open_release(root).manifest.files["cycles.parquet"].sha256 for root in roots}) == 1
    first, other, again = (load_released_cycles(root, "moments").identity for root in roots)
    assert first == again
    assert first != other
