"""A trained run as an ONNX file: any number of cycles in the inputs' units in, targets per body mass out.

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
from models.predicting.new_files import refuse_unwritable, write_new_file
from models.predicting.predict import load_network, predict_from_inputs
from models.predicting.trained_run import TrainedRun

# The largest difference allowed between onnxruntime and us, N/kg and N·m/kg: as for published checkpoints.
_TOLERANCE = 1e-4
_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_CHECKED_COUNTS = (1, 5)  # numbers of cycles with which the written file is checked
_SEED = 2025


def export_onnx(run: TrainedRun, out: Path) -> float:
    """Writes the file and returns the largest difference between onnxruntime's and the run's numbers on random cycles.

    Before any work, ValueError if the file exists, if the extra is not installed, or for a model that reads no motion.
    ValueError, and nothing is written, if the numbers differ by more than 1e-4.
    """
    refuse_unwritable(out)
    lacking = [name for name in _NEEDED if find_spec(name) is None]
    if lacking:
        raise ValueError(f"exporting needs {', '.join(lacking)}, not installed here: pip install 'gait2hip[onnx]'")
    if isinstance(run.config.model, MeanCurveSettings):
        raise ValueError("mean_curve reads the condition's name and no motion: it has no network to export")
    content = _with_metadata(_exported(_InUnits(run).eval(), run), run)
    difference = _largest_difference(content, run)
    if not difference <= _TOLERANCE:
        raise ValueError(
            f"onnxruntime's numbers differ from the run's by {difference:.2g}, more than {_TOLERANCE:g}: not written"
        )
    write_new_file(out, content)
    return difference


class _InUnits(nn.Module):
    """(B, P, C) in the inputs' units -> (B, P, K) per body mass, in the same steps as `predict`."""

    inputs_mean: Tensor
    inputs_sd: Tensor
    targets_mean: Tensor
    targets_sd: Tensor

    def __init__(self, run: TrainedRun) -> None:
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

    def __init__(self, run: TrainedRun) -> None:
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


def _exported(network: nn.Module, run: TrainedRun) -> bytes:
    """The file's content, weights and all, by torch's exporter."""
    # Two cycles: from one, the exporter would conclude that there is always one.
    example = torch.zeros(2, run.config.points, len(run.config.input_channels))
    with TemporaryDirectory(prefix="gait2hip-") as directory, warnings.catch_warnings():
        # Its warnings are about its internals and about libraries that no network here uses.
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


def _with_metadata(content: bytes, run: TrainedRun) -> bytes:
    """The same file with the meaning of its numbers in its metadata, as JSON."""
    import onnx

    config = run.config
    model = onnx.load_from_string(content)
    metadata = {
        "model": config.model.name,
        "inputs": [channel.model_dump() for channel in config.input_channels],
        "targets": [channel.model_dump() for channel in config.target_channels],
        "points": config.points,
    }
    onnx.helper.set_model_props(
        model, {name: json.dumps(entry, ensure_ascii=False) for name, entry in metadata.items()}
    )
    serialized: bytes = model.SerializeToString()
    return serialized


def _largest_difference(content: bytes, run: TrainedRun) -> float:
    """Between onnxruntime and `predict`, over inputs drawn around the training subjects' mean."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    statistics, generator = run.config.input_statistics, np.random.default_rng(_SEED)
    differences = []
    for count in _CHECKED_COUNTS:
        standard = generator.normal(size=(count, run.config.points, len(statistics.mean)))
        inputs = statistics.restore(standard)
        ours = predict_from_inputs(run, inputs, torch.device("cpu"))
        (theirs,) = session.run(["targets"], {"inputs": inputs})
        differences.append(float(np.abs(ours - theirs).max()))
    return max(differences)
