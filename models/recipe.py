"""Training recipes: every setting that can change a trained model's numbers."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from models.baselines import MeanCurveSettings, RidgeSettings
from models.inputs import input_channels
from models.lstm import LstmSettings
from models.mamba import MambaSettings
from models.run import ModelSettings
from models.settings import Settings
from models.transformer import TransformerSettings
from warehouse.storage import explained

Positive = Annotated[float, Field(gt=0)]


class OptimizerSettings(Settings):
    """AdamW (Loshchilov & Hutter 2019) on the mean squared error of per-mass targets."""

    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)]
    batch_cycles: Annotated[int, Field(ge=1)]
    gradient_clip: Positive
    precision: Literal["single", "bfloat16"]


class StoppingSettings(Settings):
    """When a fold has learned enough."""

    max_epochs: Annotated[int, Field(ge=1)]
    patience_epochs: Annotated[int, Field(ge=1)]
    min_improvement: Annotated[float, Field(ge=0)]


class FoldSettings(Settings):
    """Into how many groups of whole subjects the training subjects are dealt."""

    count: Annotated[int, Field(ge=2)]


class TrainingRecipe(Settings):
    """One file of `models/recipes/`. A section of a model's name changes its size; without it, it is as published."""

    inputs: tuple[str, ...]
    standardise_targets: bool
    seed: Annotated[int, Field(ge=0)]
    optimizer: OptimizerSettings
    stopping: StoppingSettings
    folds: FoldSettings
    lstm: LstmSettings = LstmSettings()
    transformer: TransformerSettings = TransformerSettings()
    mamba: MambaSettings = MambaSettings()
    mean_curve: MeanCurveSettings = MeanCurveSettings()
    ridge: RidgeSettings = RidgeSettings()

    @field_validator("inputs")
    @classmethod
    def _known_inputs(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        input_channels(names)
        return names

    def model(self, name: str) -> ModelSettings:
        """The settings of a model by its name. ValueError if there is none of that name."""
        if name not in MODELS:
            raise ValueError(f"there is no model {name!r}: expected one of {', '.join(MODELS)}")
        settings: ModelSettings = getattr(self, name)
        return settings


MODELS: tuple[str, ...] = ("mean_curve", "ridge", "lstm", "transformer", "mamba")


def load_training_recipe(name_or_path: str) -> TrainingRecipe:
    """A packaged recipe by its name (`gait2hip60`), or any TOML file. ValueError says what is wrong in it."""
    packaged = files("models") / "recipes" / f"{name_or_path}.toml"
    if packaged.is_file():
        text = packaged.read_text("utf-8")
    elif name_or_path.endswith(".toml"):
        with explained("read", name_or_path):
            text = Path(name_or_path).read_text("utf-8")
    else:
        known = ", ".join(packaged_recipes())
        raise ValueError(f"there is no training recipe {name_or_path!r}: expected {known}, or a .toml file")
    try:
        return TrainingRecipe.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ValueError(f"training recipe {name_or_path}: {error}") from error


def packaged_recipes() -> tuple[str, ...]:
    """The names of the recipes that come with the program."""
    names = (item.name for item in (files("models") / "recipes").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))
