"""The benchmark compares like with like."""

import pytest
import torch

from benchmarks.training import (
    PublishedLstm,
    PublishedTransformer,
    compare,
    made_up,
    mambapy_scan,
    our_epochs,
    published_epochs,
)
from models.networks.by_name import NetworkSettings, build
from models.networks.lstm import LstmSettings
from models.networks.selective_scan import selective_scan
from models.networks.transformer import TransformerSettings
from models.training.recipe import load_training_recipe


@pytest.mark.parametrize(
    ("theirs", "settings"), [(PublishedLstm, LstmSettings()), (PublishedTransformer, TransformerSettings())]
)
def test_restated_networks_have_as_many_weights_as_ours(
    theirs: type[torch.nn.Module], settings: NetworkSettings
) -> None:
    ours = build(settings, 10, 14)

    assert sum(w.numel() for w in theirs().parameters()) == sum(w.numel() for w in ours.parameters())


def test_the_other_scan_gives_the_same() -> None:
    random = torch.Generator().manual_seed(0)
    x, step = torch.randn(2, 9, 3, generator=random), torch.rand(2, 9, 3, generator=random)
    a, b, c = -torch.rand(3, 4, generator=random), *torch.randn(2, 2, 9, 4, generator=random)

    torch.testing.assert_close(mambapy_scan(x, step, a, b, c), selective_scan(x, step, a, b, c), atol=1e-5, rtol=1e-5)


def test_ours_learns_what_the_published_loop_learns() -> None:
    # All cycles in one batch and no dropout: nothing is left to chance but the order of a sum.
    published = load_training_recipe("gait2hip60")
    settings = published.optimizer.model_copy(update={"learning_rate": 1e-2})
    train, theirs = made_up(3, torch.device("cpu")), PublishedLstm()
    theirs.lstm.dropout = 0.0
    ours = build(LstmSettings(dropout=0), 10, 14)
    ours.load_state_dict(theirs.state_dict())

    recipe = published.model_copy(update={"optimizer": settings})
    for run in (published_epochs(theirs, train, settings), our_epochs(ours, train, recipe)):
        for _ in zip(range(5), run, strict=False):
            pass

    for name, weight in ours.state_dict().items():
        torch.testing.assert_close(weight, theirs.state_dict()[name], atol=1e-4, rtol=1e-3)


def test_both_are_timed() -> None:
    ours, theirs = compare("lstm", made_up(4, torch.device("cpu")), rounds=1, precision="single")

    assert ours.processor_s > 0
    assert theirs.processor_s > 0
