"""An exported model gives the run's own numbers in onnxruntime, for any number of cycles."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from models.data.cycles import Cycles
from models.networks.selective_scan import _as_one_operation, steps
from models.predicting import export_onnx as exporting
from models.predicting.export_onnx import export_onnx
from models.predicting.predict import predict
from models.predicting.trained_run import TrainedRun
from models.training.train_on_split import train_baseline, train_by_early_stopping
from tests.models.samples import halves, made_cycles, small_setup

CYCLES = made_cycles(n_points=16)
CPU = torch.device("cpu")


def trained(name: str) -> TrainedRun:
    setup = small_setup(name, standardise_targets=name == "transformer")
    train = train_baseline if name in ("ridge", "mean_curve") else train_by_early_stopping
    return train(setup, CYCLES, halves(CYCLES))


def in_onnxruntime(file: Path, cycles: Cycles) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["targets"], {"inputs": cycles.angles_deg})[0])


@pytest.mark.parametrize("name", ["ridge", "lstm", "transformer", "mamba"])
def test_onnxruntime_gives_the_run_s_own_numbers(name: str, tmp_path: Path) -> None:
    run = trained(name)

    difference = export_onnx(run, tmp_path / "model.onnx")

    assert difference < 1e-4
    for rows in (np.arange(1), np.arange(7)):
        some = CYCLES.take(rows)
        np.testing.assert_allclose(in_onnxruntime(tmp_path / "model.onnx", some), predict(run, some, CPU), atol=1e-4)
    facts = {entry.key: json.loads(entry.value) for entry in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert facts["points"] == 16
    assert facts["inputs"][0] == {"name": "hip_flexion_r", "unit": "degree"}
    assert [target["unit"] for target in facts["targets"]] == ["N·m/kg"] * 3


def test_an_export_that_goes_about_it_otherwise_than_predict_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What torch's exporter sees is wrong: onnxruntime then gives the same wrong numbers.
    monkeypatch.setattr(exporting._InUnits, "forward", lambda self, inputs: self.network(inputs))

    with pytest.raises(ValueError, match="onnxruntime's numbers differ from the run's"):
        export_onnx(trained("ridge"), tmp_path / "model.onnx")

    assert list(tmp_path.iterdir()) == []


def test_the_scan_as_one_operation_is_the_recurrence() -> None:
    torch.manual_seed(1)
    x, step, b, c = (torch.rand(2, 9, size) for size in (4, 4, 3, 3))
    a = -torch.rand(4, 3)

    torch.testing.assert_close(_as_one_operation(x, step, a, b, c), steps(x, step, a, b, c))


def test_a_model_without_motion_can_t_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no network to export"):
        export_onnx(trained("mean_curve"), tmp_path / "model.onnx")


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "onnxscript" else object())

    with pytest.raises(ValueError, match=r"needs onnxscript.*gait2hip\[onnx\]"):
        export_onnx(trained("ridge"), tmp_path / "model.onnx")


def test_other_numbers_are_not_written_and_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, file = trained("ridge"), tmp_path / "model.onnx"
    other = replace(run, weights={**run.weights, "intercept": run.weights["intercept"] + 0.01})
    exported = exporting._exported
    monkeypatch.setattr(exporting, "_exported", lambda _network, _run: exported(exporting._InUnits(other).eval(), run))

    with pytest.raises(ValueError, match=r"differ from the run's by 0\.01"):
        export_onnx(run, file)

    assert list(tmp_path.iterdir()) == []
    file.write_bytes(b"mine")
    with pytest.raises(ValueError, match="exists already"):
        export_onnx(run, file)
