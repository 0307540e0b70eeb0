"""Published checkpoints: the same predictions, and nothing that a file carries is ever run."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.data.channels import ANGLE_CHANNELS, FORCE_TARGETS
from models.data.cycles import Cycles
from models.networks.lstm import Lstm, LstmSettings
from models.predicting.import_published import import_published
from models.predicting.predict import predict
from models.predicting.trained_run import read_run, write_run

NAMES = ("LSTM_MF60", "LSTM_JM60", "Transformer_MF60", "Transformer_JM60", "Mamba_MF60", "Mamba_JM60")
# As good as the release the checkpoints came with promises to be reproduced: 1e-4 N/kg and N·m/kg.
TOLERANCE = 1e-4


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_predictions_equal_the_published_ones(name: str, shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gait2hip60"
    expected = np.load(folder / "expected_predictions.npz", allow_pickle=False)

    write_run(tmp_path / "run", import_published(folder / "checkpoints" / f"{name}.pt"))
    run = read_run(tmp_path / "run")
    found = predict(run, _only_angles(expected["X"], run.config.target_channels), torch.device("cpu"))

    assert np.abs(found - expected[name]).max() < TOLERANCE
    assert len(run.split.test) == 12


class _Code:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.file}",)


def test_code_in_a_checkpoint_is_named_and_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "it_ran"
    torch.save({**_published(), "extra": _Code(proof)}, tmp_path / "bad.pt")

    with pytest.raises(ValueError, match=r"carries code: (posix|nt)\.system.*Nothing was run"):
        import_published(tmp_path / "bad.pt")

    assert not proof.exists()


def test_a_bare_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "it_ran"
    (tmp_path / "bad.pt").write_bytes(pickle.dumps(_Code(proof)))

    with pytest.raises(ValueError, match=r"not a checkpoint written by torch\.save"):
        import_published(tmp_path / "bad.pt")

    assert not proof.exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(Lstm(LstmSettings(hidden=4), 10, 14), tmp_path / "network.pt")

    with pytest.raises(ValueError, match=r"carries code: .*models\.networks\.lstm\.Lstm"):
        import_published(tmp_path / "network.pt")


def test_a_checkpoint_cut_short_is_refused(tmp_path: Path) -> None:
    torch.save(_published(), tmp_path / "whole.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:5000])

    with pytest.raises(ValueError, match=r"half\.pt"):
        import_published(tmp_path / "half.pt")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"in_cols": [angle.name for angle in ANGLE_CHANNELS][::-1]}, "expected the ten angles in the published order"),
        ({"out_cols": ["a", "b"]}, "predicts a, b"),
        ({"model_type": "gru"}, "model_type"),
        ({"hparams": {"layers": 2, "T": 180}}, "lack 'hidden'"),
        ({"hparams": {"hidden": 5, "layers": 2, "T": 180}}, "don't fit a lstm"),
        ({"mu_x": np.zeros(9)}, "one mean and SD"),
        ({"state_dict": None}, "state_dict"),
    ],
)
def test_what_is_not_as_published_is_refused(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    torch.save({**_published(), **change}, tmp_path / "odd.pt")

    with pytest.raises(ValueError, match=complaint):
        import_published(tmp_path / "odd.pt")


def _published() -> dict[str, Any]:
    return {
        "model_type": "lstm",
        "state_dict": Lstm(LstmSettings(hidden=4), 10, 14).state_dict(),
        "mu_x": np.zeros(10, dtype=np.float32),
        "sd_x": np.ones(10, dtype=np.float32),
        "in_cols": [angle.name for angle in ANGLE_CHANNELS],
        "out_cols": [f"{force.name.removeprefix('force_')}_r" for force in FORCE_TARGETS],
        "hparams": {"hidden": 4, "layers": 2, "dropout": 0.1, "T": 180},
        "test_subjects": ["H01"],
    }


def _only_angles(angles_deg: np.ndarray, target_channels: Any) -> Cycles:
    unknown = np.full(len(angles_deg), np.nan)
    names = np.array([f"S{number}" for number in range(len(angles_deg))])
    return Cycles(
        angles_deg=angles_deg,
        targets=None,
        target_channels=target_channels,
        subject=names,
        condition=names,
        mass_kg=unknown,
        height_m=unknown,
        duration_s=unknown,
    )
