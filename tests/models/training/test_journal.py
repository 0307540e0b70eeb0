"""What is kept of an interrupted training, and that going on from there changes nothing."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.data.cycles import SubjectSplit
from models.predicting.trained_run import TrainedRun
from models.training import journal as journal_file
from models.training.journal import Journal
from models.training.network_training import TrainingProgress
from models.training.protocols import leave_each_out
from models.training.train_on_split import train_by_early_stopping, train_by_median_epoch
from models.training.training_loop import Interrupted
from tests.models.samples import OPTIMIZER, halves, made_cycles, small_setup
from warehouse.errors import WarehouseError

CYCLES = made_cycles(n_points=16)
JOB = {"release": "made", "recipe": {"seed": 1}}
# Everything that has a state of its own: dropout, a moving average, a schedule.
CHANGES: dict[str, Any] = {
    "optimizer": {**OPTIMIZER, "average_decay": 0.9, "batch_cycles": 4},
    "schedule": {"shape": "cosine", "warm_up_epochs": 1, "final_share": 0.1},
}


class _After:
    """Asks to stop when it was asked so many times."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def _never() -> bool:
    return False


def _unheard(number: int, progress: TrainingProgress) -> None:
    pass


def _journal(folder: Path, stop: Callable[[], bool] = _never) -> Journal:
    return Journal(folder, JOB, stop, _unheard)


def _median(name: str, journal: Journal) -> TrainedRun:
    return train_by_median_epoch(replace(small_setup(name, **CHANGES), callbacks=journal), CYCLES, halves(CYCLES))


def _same(first: TrainedRun, second: TrainedRun) -> bool:
    return first.config == second.config and all(first.weights[key].equal(second.weights[key]) for key in first.weights)


@pytest.mark.parametrize("name", ["lstm", "transformer", "mamba"])
def test_interrupted_anywhere_it_ends_with_the_same_weights(name: str, tmp_path: Path) -> None:
    undisturbed = _median(name, _journal(tmp_path / "never"))

    attempts, finished = 0, None
    while finished is None:
        # Five batches further each time: in the midst of folds, of epochs, and of the last training.
        attempts += 1
        torch.manual_seed(attempts)
        try:
            finished = _median(name, _journal(tmp_path / "often", _After(5)))
        except Interrupted as error:
            assert "the same command goes on from there" in str(error)
            assert (tmp_path / "often" / "job.json").exists()

    assert attempts > 3
    assert _same(finished, undisturbed)


def test_where_nothing_was_learned_nothing_is_said_to_be_kept(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"after 0 of its epochs\. Nothing was learned yet") as raised:
        _median("lstm", _journal(tmp_path / "kept", _After(0)))

    assert "goes on" not in str(raised.value)
    assert not (tmp_path / "kept").exists()


def test_leaving_each_out_goes_on_too(tmp_path: Path) -> None:
    few = CYCLES.of(CYCLES.subjects[:3])

    def scored(stop: Callable[[], bool]) -> object:
        setup = replace(small_setup("lstm"), callbacks=_journal(tmp_path / stop.__class__.__name__, stop))
        everybody = SubjectSplit(train=few.subjects, test=())
        return leave_each_out(
            setup, lambda cycles, split: train_by_early_stopping(setup, cycles, split), few, everybody
        )[1]

    with pytest.raises(Interrupted):
        scored(_After(7))

    assert scored(_After(1000)) == scored(_never)


def test_a_schedule_and_an_average_matter(tmp_path: Path) -> None:
    with_both = _median("lstm", _journal(tmp_path))

    plain = train_by_median_epoch(
        small_setup("lstm", optimizer={**OPTIMIZER, "batch_cycles": 4}), CYCLES, halves(CYCLES)
    )

    assert not _same(with_both, plain)


def test_each_training_s_curve_is_told_once_and_again_after_an_interruption(tmp_path: Path) -> None:
    heard: list[tuple[int, list[int]]] = []

    def listen(number: int, progress: TrainingProgress) -> None:
        heard.append((number, [point.epoch for point in progress.curve]))

    with pytest.raises(Interrupted):
        # Three epochs of two batches a fold: the second fold's third epoch is not whole.
        _median("lstm", Journal(tmp_path, JOB, _After(11), listen))
    assert heard == [(1, [1, 2, 3]), (2, [1, 2])]

    _median("lstm", Journal(tmp_path, JOB, _never, listen))
    assert [number for number, _ in heard[2:]] == [1, 2, 3]
    assert heard[3] == (2, [1, 2, 3])


def test_another_job_s_folder_is_refused(tmp_path: Path) -> None:
    _median("lstm", _journal(tmp_path))

    with pytest.raises(ValueError, match=r"keeps an interrupted training of something else \(another recipe\)"):
        Journal(tmp_path, {**JOB, "recipe": {"seed": 2}}, _never, _unheard)


def test_a_full_disk_is_told_and_what_was_kept_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Interrupted):
        _median("lstm", _journal(tmp_path, _After(3)))
    (file,) = tmp_path.glob("training-*")
    kept = file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(WarehouseError, match=r"training-0001.*the disk is full"):
            _median("lstm", _journal(tmp_path))

    assert file.read_bytes() == kept
    assert _same(_median("lstm", _journal(tmp_path)), _median("lstm", _journal(tmp_path / "never")))


def test_it_is_written_once_in_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "_SAVED_EVERY_S", 0.0)

    class _PowerCut(Exception):
        pass

    def cut() -> bool:
        if cut_after():
            raise _PowerCut
        return False

    cut_after = _After(5)
    with pytest.raises(_PowerCut):
        _median("lstm", _journal(tmp_path / "cut", cut))

    assert [file.name for file in (tmp_path / "cut").glob("training-*")] == ["training-0001.safetensors"]
    assert _same(_median("lstm", _journal(tmp_path / "cut")), _median("lstm", _journal(tmp_path / "never")))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    _median("lstm", _journal(tmp_path))
    (tmp_path / "training-0002.safetensors").write_bytes(b"not tensors")

    with pytest.raises(ValueError, match=r"training-0002.safetensors is damaged"):
        _median("lstm", _journal(tmp_path))


def test_closed_it_leaves_nothing(tmp_path: Path) -> None:
    journal = _journal(tmp_path / "kept")
    _median("lstm", journal)

    journal.close()

    assert list(tmp_path.iterdir()) == []
