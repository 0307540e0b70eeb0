"""The published checkpoints of Gait2Hip-60: PyTorch pickles, read without running any code in them."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from models.data.channels import ANGLE_CHANNELS, TASK_TARGETS, Task
from models.data.cycles import Statistics, SubjectSplit
from models.data.inputs import PUBLISHED
from models.networks.by_name import NetworkSettings
from models.networks.lstm import LstmSettings
from models.networks.mamba import MambaSettings
from models.networks.transformer import TransformerSettings
from models.predicting.predict import load_network
from models.predicting.trained_run import RunConfig, TrainedRun
from warehouse.interchange.given_file import content_of, opened_zip
from warehouse.settings_file import in_words

# The largest published checkpoint has 3 MB.
_MOST_BYTES = 1 << 30
# What a pickled NumPy array consists of besides plain containers, by its names in NumPy 1 and 2.
_rebuild_array = np._core.multiarray._reconstruct  # type: ignore[attr-defined]
_ARRAY_PARTS: list[Any] = [
    np.ndarray,
    np.dtype,
    type(np.dtype(np.float32)),
    type(np.dtype(np.float64)),
    _rebuild_array,
    (_rebuild_array, "numpy.core.multiarray._reconstruct"),
    (_rebuild_array, "numpy._core.multiarray._reconstruct"),
]

# The published names of targets, and ours.
_TARGET_NAMES: Mapping[str, str] = {
    **{f"{channel.name.removeprefix('force_')}_r": channel.name for channel in TASK_TARGETS["forces"]},
    **{f"{channel.name.removeprefix('moment_')}_r_moment": channel.name for channel in TASK_TARGETS["moments"]},
}

_Floats = Annotated[tuple[float, ...], BeforeValidator(lambda array: tuple(np.asarray(array).ravel().tolist()))]
_Words = Annotated[tuple[str, ...], BeforeValidator(lambda words: tuple(str(word) for word in words))]


class _Published(BaseModel):
    """The entries of a published checkpoint that are used here; it has more."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True, extra="ignore", protected_namespaces=())

    model_type: Literal["lstm", "transformer", "mamba"]
    state_dict: dict[str, torch.Tensor]
    mu_x: _Floats
    sd_x: _Floats
    in_cols: _Words
    out_cols: _Words
    hparams: dict[str, float | int]
    test_subjects: _Words


def import_published(file: Path) -> TrainedRun:
    """The checkpoint as a trained run: the same network with the same weights.

    ValueError if the file is no PyTorch file, holds anything but tensors, arrays and plain containers (which
    is named and not run), or is not a checkpoint of the published kind.
    """
    content = content_of(file, _MOST_BYTES)
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(f"{file} is not a checkpoint written by torch.save (since PyTorch 1.6), or it is cut short")
    # PyTorch unpacks what the archive states, without a limit.
    with opened_zip(file, "PyTorch"):
        pass
    published = _checked(file, _load_plain(file, content))
    if published.in_cols != tuple(channel.name for channel in ANGLE_CHANNELS):
        raise ValueError(f"{file} reads {', '.join(published.in_cols)}: expected the ten angles in the published order")
    task = _task_of(file, published.out_cols)
    try:
        run = TrainedRun(
            config=RunConfig(
                model=_settings(file, published),
                task=task,
                inputs=PUBLISHED,
                points=_size(file, published, "T"),
                input_channels=ANGLE_CHANNELS,
                target_channels=TASK_TARGETS[task],
                input_statistics=Statistics(mean=published.mu_x, sd=published.sd_x),
                target_statistics=None,
                origin={"imported_from": file.name, "sha256": hashlib.sha256(content).hexdigest()},
            ),
            weights=published.state_dict,
            split=SubjectSplit(train=None, test=published.test_subjects),
        )
        load_network(run)  # weights that don't fit fail here, not at the first prediction
    except ValidationError as error:
        raise in_words(str(file), error) from error
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return run


def _load_plain(file: Path, content: bytes) -> object:
    with safe_globals(_ARRAY_PARTS):
        try:
            foreign = get_unsafe_globals_in_checkpoint(io.BytesIO(content))
            if not foreign:
                return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:
            # A hostile pickle can raise any error.
            raise ValueError(f"{file} can't be read as a PyTorch checkpoint; nothing was run: {error}") from error
    raise ValueError(
        f"{file} carries code: {', '.join(sorted(foreign))}. Nothing was run. Only tensors, arrays and plain "
        "containers are read; ask whoever made the file for its weights alone."
    )


def _checked(file: Path, content: object) -> _Published:
    try:
        return _Published.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{file} is not a published Gait2Hip-60 checkpoint: {error}") from error


def _task_of(file: Path, columns: tuple[str, ...]) -> Task:
    names = tuple(_TARGET_NAMES.get(column, column) for column in columns)
    for task, channels in TASK_TARGETS.items():
        if names == tuple(channel.name for channel in channels):
            return task
    raise ValueError(f"{file} predicts {', '.join(columns)}: expected the published forces or moments, in their order")


def _settings(file: Path, published: _Published) -> NetworkSettings:
    def size(name: str) -> int:
        return _size(file, published, name)

    dropout = float(published.hparams.get("dropout", 0))
    match published.model_type:
        case "lstm":
            return LstmSettings(hidden=size("hidden"), layers=size("layers"), dropout=dropout)
        case "transformer":
            return TransformerSettings(
                d_model=size("d_model"),
                heads=size("nhead"),
                layers=size("num_layers"),
                feed_forward=size("dim_feedforward"),
                dropout=dropout,
                max_points=size("max_len"),
            )
        case "mamba":
            return MambaSettings(
                d_model=size("d_model"),
                d_state=size("d_state"),
                d_conv=size("d_conv"),
                expand=size("expand"),
                layers=size("layers"),
                dropout=dropout,
            )


def _size(file: Path, published: _Published, name: str) -> int:
    if name not in published.hparams:
        raise ValueError(f"{file}: its hparams lack {name!r}; they have {', '.join(sorted(published.hparams))}")
    return int(published.hparams[name])
