"""A trained model on disk: one folder, no pickle.

- model.safetensors: weights
- config.json: which model, its size, its channels, the inputs' statistics, where it comes from
- split.json: who it was trained on, who it may be tested on
- report.json: how it did when it was tested, beside its baselines
- calibration.json: how wide its 90 % intervals are, if enough subjects were held out to tell
- novelty.safetensors: the motion of its training subjects, to tell when another lies outside
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Literal, TypeVar

import numpy as np
import torch
from pydantic import Field, JsonValue, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from models.data.channels import TARGETS, Channel, Task
from models.data.cycles import Cycles, Split, Statistics
from models.data.inputs import input_channels
from models.networks.baselines import MeanCurveSettings, RidgeSettings
from models.networks.by_name import NetworkSettings
from models.predicting.conformal import Calibration
from models.predicting.novelty import Novelty, from_bytes
from models.scoring.report import Report
from warehouse.files.storage import describe_os_errors, flush, remove_leftovers, replace_file
from warehouse.layout import temporary_path
from warehouse.settings_file import Checked

WEIGHTS, CONFIG, SPLIT, REPORT = "model.safetensors", "config.json", "split.json", "report.json"
CALIBRATION, NOVELTY = "calibration.json", "novelty.safetensors"

# Raised when a run's files change their names, entries or meanings.
RUN_FORMAT: Literal[1] = 1

ModelSettings = Annotated[NetworkSettings | MeanCurveSettings | RidgeSettings, Field(discriminator="name")]

CheckedT = TypeVar("CheckedT", bound=Checked)


class RunConfig(Checked):
    """Everything needed to predict but the weights.

    `target_statistics` is None where the network gives per-mass targets as they are, as the published ones do.
    `origin` says where the weights come from, in plain values.
    """

    format: Literal[1] = RUN_FORMAT
    model: ModelSettings
    task: Task
    inputs: tuple[str, ...]
    points: Annotated[int, Field(ge=2)]
    input_channels: tuple[Channel, ...]
    target_channels: tuple[Channel, ...]
    input_statistics: Statistics
    target_statistics: Statistics | None
    origin: dict[str, JsonValue]

    def model_post_init(self, _context: object) -> None:
        """ValueError if the channels are not those the inputs and the task have here."""
        if self.input_channels != input_channels(self.inputs):
            raise ValueError(f"input channels {_names(self.input_channels)} are not those of {list(self.inputs)}")
        if self.target_channels != TARGETS[self.task]:
            raise ValueError(f"target channels {_names(self.target_channels)} are not those of the task {self.task!r}")
        _check_statistics(self.input_statistics, self.input_channels)
        if self.target_statistics is not None:
            _check_statistics(self.target_statistics, self.target_channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A trained model: what it is, its weights, whom it knows, and its report if it was tested.

    `calibration` and `novelty` are None where too few subjects could tell them. `siblings` were trained like it without
    some of its training subjects, who are their splits' test; they calibrate it and aren't stored.
    """

    config: RunConfig
    weights: Mapping[str, torch.Tensor]
    split: Split
    report: Report | None = None
    calibration: Calibration | None = None
    novelty: Novelty | None = None
    siblings: tuple["Run", ...] = ()

    def __post_init__(self) -> None:
        shape = self.config.points, len(self.config.target_channels)
        found = None if self.calibration is None else np.shape(self.calibration.half_width)
        if found not in (None, shape):
            raise ValueError(f"the calibration is of {found} points and channels, and the model of {shape}")

    def made_of(self, origin: Mapping[str, JsonValue]) -> "Run":
        """The same run, its origin told in more words."""
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


def write_run(folder: Path, run: Run) -> None:
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
    if run.novelty is not None:
        contents[NOVELTY] = run.novelty.to_bytes()
    write_folder(folder, contents)


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes files, by their names, into a new folder. ValueError and WarehouseError as above."""
    refuse_existing(folder)
    with describe_os_errors("write", str(folder)):
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder.parent)
        staged = temporary_path(folder)
        staged.mkdir()
        try:
            for name, content in contents.items():
                (staged / name).write_bytes(content)
                flush(staged / name)
            flush(staged)
            staged.rename(folder)
            flush(folder.parent)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise


def refuse_existing(path: Path) -> None:
    """ValueError if there is anything of that name: nothing is overwritten."""
    if path.exists():
        raise ValueError(f"{path} exists already: nothing is overwritten. Name another, or remove it.")


def check_writable(path: Path) -> None:
    """Fails now, not after hours of training: ValueError if `path` exists, WarehouseError if it can't be made."""
    refuse_existing(path)
    with describe_os_errors("write", str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(mkdtemp(prefix=f".{path.name}-", dir=path.parent)).rmdir()


def write_file(path: Path, content: bytes) -> None:
    """Writes one file whole or not at all. ValueError if it exists, WarehouseError if it can't be written."""
    refuse_existing(path)
    replace_file(path, content)


def read_run(folder: Path) -> Run:
    """A run as it was written. ValueError if a file is damaged or of another format, MissingFile if one is missing."""
    report, calibration, novelty = (folder / name for name in (REPORT, CALIBRATION, NOVELTY))
    _refuse_other_format(folder / CONFIG)
    return Run(
        config=_checked(RunConfig, folder / CONFIG),
        weights=_weights(folder / WEIGHTS),
        split=_checked(Split, folder / SPLIT),
        report=_checked(Report, report) if report.exists() else None,
        calibration=_checked(Calibration, calibration) if calibration.exists() else None,
        novelty=from_bytes(str(novelty), _content(novelty)) if novelty.exists() else None,
    )


def _refuse_other_format(file: Path) -> None:
    try:
        found = json.loads(_content(file))["format"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{file} is not what `gait2hip train` writes: it has no format ({error})") from error
    if found != RUN_FORMAT:
        raise ValueError(
            f"{file} has run format {found}; this gait2hip reads {RUN_FORMAT}. Train or import the model again, or use "
            "the gait2hip that wrote it."
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
    with describe_os_errors("read", str(file)):
        return file.read_bytes()


def _check_statistics(statistics: Statistics, channels: tuple[Channel, ...]) -> None:
    if not len(statistics.mean) == len(statistics.sd) == len(channels):
        raise ValueError(f"statistics must have one mean and SD for each of {_names(channels)}")


def _names(channels: tuple[Channel, ...]) -> str:
    return ", ".join(channel.name for channel in channels)
