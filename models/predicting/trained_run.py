"""A trained model on disk: one folder, no pickle.

- model.safetensors: weights
- config.json: the model, its size and channels, the inputs' statistics, the weights' origin
- split.json: the subjects it was trained on and those held out for its test
- report.json: its test, beside the baselines
- calibration.json: the width of its 90 % intervals, if enough subjects were held out
- novelty.safetensors: the motion of its training subjects, by which other motion is judged
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field, JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from models.data.channels import TASK_TARGETS, Channel, Task
from models.data.cycles import Cycles, Statistics, SubjectSplit
from models.data.inputs import input_channels
from models.networks.baselines import MeanCurveSettings, RidgeSettings
from models.networks.by_name import NetworkSettings
from models.predicting.conformal import Calibration
from models.predicting.new_files import write_new_folder
from models.predicting.novelty import KnownMotion, known_motion_from_bytes
from models.scoring.report import Report
from warehouse.errors import MissingFile
from warehouse.interchange.given_file import content_of
from warehouse.settings_file import Checked, CheckedT, parse_json

WEIGHTS, CONFIG, SPLIT, REPORT = "model.safetensors", "config.json", "split.json", "report.json"
CALIBRATION, KNOWN_MOTION = "calibration.json", "novelty.safetensors"

# Raise it when a run's files change their names, entries or meanings.
RUN_FORMAT: Literal[1] = 1
# A run of the largest network that a recipe may ask for has less.
_MOST_BYTES = 1 << 30

PredictorSettings = Annotated[NetworkSettings | MeanCurveSettings | RidgeSettings, Field(discriminator="name")]


class RunConfig(Checked):
    """Everything needed to predict except the weights.

    `target_statistics` is None where the network predicts unscaled per-mass targets, as the published ones do.
    `origin` says where the weights come from, in plain values.
    """

    format: Literal[1] = RUN_FORMAT
    model: PredictorSettings
    task: Task
    inputs: tuple[str, ...]
    points: Annotated[int, Field(ge=2)]
    input_channels: tuple[Channel, ...]
    target_channels: tuple[Channel, ...]
    input_statistics: Statistics
    target_statistics: Statistics | None
    origin: dict[str, JsonValue]

    def model_post_init(self, _context: object) -> None:
        """ValueError if the channels are not those of the inputs and the task."""
        if self.input_channels != input_channels(self.inputs):
            raise ValueError(f"input channels {_names(self.input_channels)} are not those of {list(self.inputs)}")
        if self.target_channels != TASK_TARGETS[self.task]:
            raise ValueError(f"target channels {_names(self.target_channels)} are not those of the task {self.task!r}")
        _check_statistics(self.input_statistics, self.input_channels)
        if self.target_statistics is not None:
            _check_statistics(self.target_statistics, self.target_channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRun:
    """A trained model: its configuration, weights, split, and its report if it was tested.

    `calibration` and `known_motion` are None where there were too few subjects. `fold_runs` were trained the same way,
    each without some of the training subjects, who are its split's test; they calibrate the run and aren't stored.
    """

    config: RunConfig
    weights: Mapping[str, torch.Tensor]
    split: SubjectSplit
    report: Report | None = None
    calibration: Calibration | None = None
    known_motion: KnownMotion | None = None
    fold_runs: tuple["TrainedRun", ...] = ()

    def __post_init__(self) -> None:
        shape = self.config.points, len(self.config.target_channels)
        calibrated = None if self.calibration is None else np.shape(self.calibration.half_width)
        if calibrated not in (None, shape):
            raise ValueError(f"the calibration is of {calibrated} points and channels, and the model of {shape}")
        if wrong := [name for name, weights in self.weights.items() if not torch.isfinite(weights).all()]:
            raise ValueError(
                f"{len(wrong)} of {len(self.weights)} weights hold NaN or infinity, {wrong[0]} among them. Nothing can "
                "be predicted with them: train or import the model again"
            )

    def with_origin(self, origin: Mapping[str, JsonValue]) -> "TrainedRun":
        """The same run with these entries added to its origin."""
        return replace(self, config=self.config.model_copy(update={"origin": {**self.config.origin, **origin}}))


def check_fits(config: RunConfig, cycles: Cycles) -> None:
    """ValueError if these cycles' channels or points are not those that the model was trained with."""
    if cycles.n_points != config.points:
        raise ValueError(
            f"the model reads cycles of {config.points} points, and these have {cycles.n_points}. "
            f"Cut the release with --points {config.points}."
        )
    if cycles.targets is not None and cycles.target_channels != config.target_channels:
        raise ValueError(
            f"the model predicts {_names(config.target_channels)}, and the cycles' targets are "
            f"{_names(cycles.target_channels)}"
        )


def write_run(folder: Path, run: TrainedRun) -> None:
    """Writes the folder whole or not at all. ValueError if it exists, WarehouseError if it can't be written."""
    contents = {
        WEIGHTS: save({name: tensor.detach().cpu().contiguous() for name, tensor in run.weights.items()}),
        CONFIG: run.config.model_dump_json(indent=2).encode(),
        SPLIT: run.split.model_dump_json(indent=2).encode(),
    }
    if run.report is not None:
        contents[REPORT] = run.report.model_dump_json(indent=2).encode()
    if run.calibration is not None:
        contents[CALIBRATION] = run.calibration.model_dump_json().encode()
    if run.known_motion is not None:
        contents[KNOWN_MOTION] = run.known_motion.to_bytes()
    write_new_folder(folder, contents)


def read_run(folder: Path) -> TrainedRun:
    """The run in a folder. ValueError if a file is damaged or of another format, MissingFile if one is missing."""
    report, calibration, known_motion = (folder / name for name in (REPORT, CALIBRATION, KNOWN_MOTION))
    if not (folder / CONFIG).exists():
        raise MissingFile(
            f"there is no trained run at {folder}: it has no {CONFIG}. Name the folder that `gait2hip train` made."
        )
    _refuse_other_format(folder / CONFIG)
    parts: dict[str, Any] = {
        "config": _checked(RunConfig, folder / CONFIG),
        "weights": _weights(folder / WEIGHTS),
        "split": _checked(SubjectSplit, folder / SPLIT),
        "report": _checked(Report, report) if report.exists() else None,
        "calibration": _checked(Calibration, calibration) if calibration.exists() else None,
        "known_motion": (
            known_motion_from_bytes(str(known_motion), _content(known_motion)) if known_motion.exists() else None
        ),
    }
    try:
        return TrainedRun(**parts)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}.") from error


def _refuse_other_format(file: Path) -> None:
    try:
        version = parse_json(str(file), _content(file))["format"]
    except (TypeError, KeyError) as error:
        raise ValueError(f"{file} is not what `gait2hip train` writes: it has no format ({error})") from error
    if version != RUN_FORMAT:
        raise ValueError(
            f"{file} has run format {version}; this gait2hip reads {RUN_FORMAT}. Train or import the model again, or "
            "use the gait2hip that wrote it."
        )


def _checked(kind: type[CheckedT], file: Path) -> CheckedT:
    try:
        return kind.model_validate_json(_content(file))
    except ValidationError as error:
        raise ValueError(f"{file} is not what `gait2hip train` writes: {error}") from error


def _weights(file: Path) -> dict[str, torch.Tensor]:
    try:
        return load(_content(file))
    except SafetensorError as error:
        raise ValueError(f"{file} is damaged ({error}): train or import the model again") from error


def _content(file: Path) -> bytes:
    return content_of(file, _MOST_BYTES)


def _check_statistics(statistics: Statistics, channels: tuple[Channel, ...]) -> None:
    if not len(statistics.mean) == len(statistics.sd) == len(channels):
        raise ValueError(f"statistics must have one mean and SD for each of {_names(channels)}")
    if min(statistics.sd) <= 0:
        raise ValueError(f"statistics have an SD of {min(statistics.sd):g}, by which inputs are divided: expected > 0")


def _names(channels: tuple[Channel, ...]) -> str:
    return ", ".join(channel.name for channel in channels)
