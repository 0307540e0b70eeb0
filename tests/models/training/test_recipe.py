"""Training recipes: the published values, and what is refused."""

from pathlib import Path

import pytest

from models.networks.lstm import LstmSettings
from models.training.recipe import MODELS, ScheduleSettings, load_training_recipe, packaged_recipes

PUBLISHED = """
inputs = ["angles"]
standardise_targets = false
mirrored_left = true
seed = 2025
[optimizer]
learning_rate = 1e-4
weight_decay = 1e-5
batch_cycles = 64
gradient_clip = 0.5
average_decay = 0
precision = "single"
[schedule]
shape = "constant"
warm_up_epochs = 0
final_share = 0
[stopping]
max_epochs = 300
patience_epochs = 30
min_improvement = 1e-8
[folds]
count = 5
"""


def test_the_published_protocol_s_settings(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PUBLISHED)

    assert load_training_recipe("gait2hip60") == load_training_recipe(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("name", packaged_recipes())
def test_every_packaged_recipe_loads_and_knows_every_model(name: str) -> None:
    recipe = load_training_recipe(name)

    assert [recipe.model(model).name for model in MODELS] == list(MODELS)


def test_a_section_changes_a_model_s_size(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PUBLISHED + "[lstm]\nbidirectional = true\n")

    assert load_training_recipe(str(tmp_path / "mine.toml")).model("lstm") == LstmSettings(bidirectional=True)


def test_schedules_rise_and_fall() -> None:
    constant = ScheduleSettings(shape="constant", warm_up_epochs=0, final_share=0)
    cosine = ScheduleSettings(shape="cosine", warm_up_epochs=4, final_share=0.1)

    assert [constant.share(epochs, 24) for epochs in (0.01, 12, 24)] == [1, 1, 1]
    # A quarter of the warm-up, its end; half-way down, and the end.
    assert [cosine.share(epochs, 24) for epochs in (1, 4, 14, 24)] == pytest.approx([0.25, 1, 0.55, 0.1])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (PUBLISHED.replace("1e-4", "-1"), "learning_rate"),
        (PUBLISHED.replace('"angles"', '"angels"'), "angels"),
        (PUBLISHED + "[lstm]\nwidth = 3\n", "width"),
        (PUBLISHED.replace("warm_up_epochs = 0", "warm_up_epochs = 300"), "smaller than stopping.max_epochs=300"),
        (PUBLISHED.replace("constant", "linear"), "schedule.shape"),
        (PUBLISHED.replace("average_decay = 0", "average_decay = 1"), "average_decay"),
        (PUBLISHED + "[gru]\n", "gru"),
        (PUBLISHED.replace("seed = 2025", ""), "seed"),
        ("inputs = [", "mine.toml"),
    ],
)
def test_mistakes_are_named(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text)

    with pytest.raises(ValueError, match=complaint):
        load_training_recipe(str(tmp_path / "mine.toml"))


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(ValueError, match=r"expected gait2hip60, quick, real_time, or a \.toml file"):
        load_training_recipe("fast")
    with pytest.raises(ValueError, match="expected one of mean_curve, ridge, lstm"):
        load_training_recipe("quick").model("gru")
