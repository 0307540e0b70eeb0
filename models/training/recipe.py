"""Training recipes: every setting that can change a trained model's numbers."""

import math
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from models.data.inputs import input_channels
from models.networks.baselines import MeanCurveSettings, RidgeSettings
from models.networks.lstm import LstmSettings
from models.networks.mamba import MambaSettings
from models.networks.transformer import TransformerSettings
from models.predicting.trained_run import PredictorSettings
from warehouse.settings_file import Checked, checked, parse_toml, read_toml

_Positive = Annotated[float, Field(gt=0)]


class OptimizerSettings(Checked):
    """AdamW (Loshchilov & Hutter 2019) on the mean squared error of per-mass targets.

    `average_decay` is the decay of an exponential moving average of the weights over steps (Polyak & Juditsky 1992),
    which is then validated and kept; 0 keeps the weights themselves.
    """

    learning_rate: _Positive
    weight_decay: Annotated[float, Field(ge=0)]
    batch_cycles: Annotated[int, Field(ge=1)]
    gradient_clip: _Positive
    average_decay: Annotated[float, Field(ge=0, lt=1)]
    precision: Literal["single", "bfloat16"]


class ScheduleSettings(Checked):
    """The learning rate over a training, as a share of `learning_rate`.

    It rises in equal steps over the warm-up. Then it stays (`constant`), or falls to `final_share` at the recipe's
    `max_epochs` (`cosine`, Loshchilov & Hutter 2017), even if training stops earlier.
    """

    shape: Literal["constant", "cosine"]
    warm_up_epochs: Annotated[int, Field(ge=0)]
    final_share: Annotated[float, Field(ge=0, le=1)]

    def share(self, epochs_done: float, max_epochs: int) -> float:
        """The share after this many epochs, whole or not."""
        if epochs_done < self.warm_up_epochs:
            return epochs_done / self.warm_up_epochs
        if self.shape == "constant":
            return 1.0
        progress = (epochs_done - self.warm_up_epochs) / (max_epochs - self.warm_up_epochs)
        return self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * progress)) / 2


class StoppingSettings(Checked):
    """When the training on a fold stops."""

    max_epochs: Annotated[int, Field(ge=1)]
    patience_epochs: Annotated[int, Field(ge=1)]
    min_improvement: Annotated[float, Field(ge=0)]


class FoldSettings(Checked):
    """The number of groups into which the training subjects are divided."""

    count: Annotated[int, Field(ge=2)]


class TrainingRecipe(Checked):
    """One file of `models/recipes/`. A section named after a model changes its size from the published one."""

    inputs: tuple[str, ...]
    standardise_targets: bool
    mirrored_left: bool
    seed: Annotated[int, Field(ge=0)]
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
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

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "TrainingRecipe":
        if self.schedule.warm_up_epochs >= self.stopping.max_epochs:
            raise ValueError(
                f"schedule.warm_up_epochs={self.schedule.warm_up_epochs} must be smaller than "
                f"stopping.max_epochs={self.stopping.max_epochs}"
            )
        return self

    def model(self, name: str) -> PredictorSettings:
        """The settings of a model by its name. ValueError if there is none of that name."""
        if name not in MODELS:
            raise ValueError(f"there is no model {name!r}: expected one of {', '.join(MODELS)}")
        settings: PredictorSettings = getattr(self, name)
        return settings


MODELS: tuple[str, ...] = ("mean_curve", "ridge", "lstm", "transformer", "mamba")


def load_training_recipe(name_or_path: str) -> TrainingRecipe:
    """A packaged recipe by its name (`gait2hip60`), or any TOML file. ValueError says what is wrong in it."""
    packaged = files("models") / "recipes" / f"{name_or_path}.toml"
    where = f"training recipe {name_or_path}"
    if packaged.is_file():
        return checked(TrainingRecipe, where, parse_toml(where, packaged.read_text("utf-8")))
    if name_or_path.endswith(".toml"):
        return checked(TrainingRecipe, where, read_toml(Path(name_or_path)))
    raise ValueError(
        f"there is no training recipe {name_or_path!r}: expected {', '.join(packaged_recipes())}, or a .toml file"
    )


def packaged_recipes() -> tuple[str, ...]:
    """The names of the recipes in the package."""
    names = (item.name for item in (files("models") / "recipes").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))
