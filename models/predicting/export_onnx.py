"""A trained run as an ONNX file: inputs in their own units in, targets per body mass out, whatever number of cycles.

The one door to onnx, onnxruntime and torch's exporter, the optional extra `onnx`.
B cycles, P points of each, C input channels, K targets.
"""

import json
import logging
import warnings
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from models.data.cycles import Statistics
from models.networks.baselines import MeanCurveSettings, RidgeSettings, harmonics
from models.predicting.predict import load_network, predict_from_inputs
from models.predicting.run import Run, check_writable, write_file

# What onnxruntime may differ from us, N/kg and N·m/kg: as much as published checkpoints may.
TOLERANCE = 1e-4
_NEEDED = ("onnx", "onnxscript", "onnxruntime")
# Of how many cycles the file is tried: one, and several.
_TRIED = (1, 5)
_SEED = 2025


def export_onnx(run: Run, out: Path) -> float:
    """Writes the file, and returns how far onnxruntime's numbers are from the run's own on made-up cycles.

    Before any work, ValueError if the file exists, if the extra is not installed, or for a model that reads no motion.
    ValueError, and nothing is written, if the numbers differ by more than 1e-4.
    """
    check_writable(out)
    lacking = [name for name in _NEEDED if find_spec(name) is None]
    if lacking:
        raise ValueError(f"exporting needs {', '.join(lacking)}, not installed here: pip install 'gait2hip[onnx]'")
    if isinstance(run.config.model, MeanCurveSettings):
        raise ValueError("mean_curve reads the condition's name and no motion: it has no network to export")
    content = _with_facts(_exported(_InUnits(run).eval(), run), run)
    difference = _largest_difference(content, run)
    if not difference <= TOLERANCE:
        raise ValueError(
            f"onnxruntime's numbers differ from the run's by {difference:.2g}, more than {TOLERANCE:g}: not written"
        )
    write_file(out, content)
    return difference


class _InUnits(nn.Module):
    """(B, P, C) in the inputs' units -> (B, P, K) per body mass, as `predict` goes about it."""

    inputs_mean: Tensor
    inputs_sd: Tensor
    targets_mean: Tensor
    targets_sd: Tensor

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.network = _Ridge(run) if isinstance(run.config.model, RidgeSettings) else load_network(run)
        nothing = Statistics(mean=(0.0,), sd=(1.0,))
        for name, statistics in (
            ("inputs", run.config.input_statistics),
            ("targets", run.config.target_statistics or nothing),
        ):
            self.register_buffer(f"{name}_mean", torch.tensor(statistics.mean, dtype=torch.float32))
            self.register_buffer(f"{name}_sd", torch.tensor(statistics.sd, dtype=torch.float32))

    def forward(self, inputs: Tensor) -> Tensor:
        """Standardised, through the network, and back."""
        standard = (inputs - self.inputs_mean) / self.inputs_sd
        return self.network(standard) * self.targets_sd + self.targets_mean


class _Ridge(nn.Module):
    """(B, P, C) standardised -> (B, P, K): harmonics are a product with a matrix, and so is the regression on them."""

    to_harmonics: Tensor
    coefficients: Tensor
    intercept: Tensor

    def __init__(self, run: Run) -> None:
        super().__init__()
        assert isinstance(run.config.model, RidgeSettings)
        each_point = np.eye(run.config.points)[:, :, None]
        self.register_buffer("to_harmonics", torch.tensor(harmonics(each_point, run.config.model.harmonics)).float())
        self.register_buffer("coefficients", run.weights["coefficients"].flatten(0, 1))
        self.register_buffer("intercept", run.weights["intercept"])

    def forward(self, inputs: Tensor) -> Tensor:
        """A harmonic's channels stand together, as the regression learned them."""
        features = (inputs.transpose(1, 2) @ self.to_harmonics).transpose(1, 2).flatten(1)
        return (features @ self.coefficients.T).unflatten(1, self.intercept.shape) + self.intercept


def _exported(network: nn.Module, run: Run) -> bytes:
    """The file's content, weights and all, by torch's exporter."""
    # Two cycles: of a single one the exporter would take it that there is never more than one.
    example = torch.zeros(2, run.config.points, len(run.config.input_channels))
    with TemporaryDirectory(prefix="gait2hip-") as directory, warnings.catch_warnings():
        # It warns of its own inner workings, and of libraries that no network here uses.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["inputs"],
            output_names=["targets"],
            dynamic_shapes=({0: torch.export.Dim("cycles")},),
            dynamo=True,
            verbose=False,
        )
        assert program is not None, "the exporter returns its program"
        file = Path(directory) / "model.onnx"
        program.save(file, include_initializers=True)
        return file.read_bytes()


def _with_facts(content: bytes, run: Run) -> bytes:
    """The same file with what its numbers mean in its metadata, as JSON."""
    import onnx

    config = run.config
    model = onnx.load_from_string(content)
    facts = {
        "model": config.model.name,
        "inputs": [channel.model_dump() for channel in config.input_channels],
        "targets": [channel.model_dump() for channel in config.target_channels],
        "points": config.points,
    }
    onnx.helper.set_model_props(model, {name: json.dumps(fact, ensure_ascii=False) for name, fact in facts.items()})
    serialized: bytes = model.SerializeToString()
    return serialized


def _largest_difference(content: bytes, run: Run) -> float:
    """Between onnxruntime and what `predict` says, over inputs drawn about the training subjects' mean."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    statistics, generator = run.config.input_statistics, np.random.default_rng(_SEED)
    found = []
    for count in _TRIED:
        standard = generator.normal(size=(count, run.config.points, len(statistics.mean)))
        inputs = statistics.restore(standard)
        ours = predict_from_inputs(run, inputs, torch.device("cpu"))
        (theirs,) = session.run(["targets"], {"inputs": inputs})
        found.append(float(np.abs(ours - theirs).max()))
    return max(found)
