"""What holds for every network."""

import pytest
import torch

from models.networks.by_name import NETWORKS, NetworkSettings, build
from models.networks.lstm import LstmSettings
from models.networks.mamba import MambaSettings
from models.networks.transformer import TransformerSettings

SMALL: dict[str, NetworkSettings] = {
    "lstm": LstmSettings(hidden=8),
    "lstm, both ways": LstmSettings(hidden=8, bidirectional=True),
    "transformer": TransformerSettings(d_model=16, heads=4, feed_forward=32, max_points=40),
    "mamba": MambaSettings(d_model=16, d_state=4),
    "mamba, both ways": MambaSettings(d_model=16, d_state=4, bidirectional=True),
}
CAUSAL = ("lstm", "mamba")
# Summed by hand over the shapes in the published checkpoints, for ten inputs and 14 targets.
PUBLISHED_SIZE = {"lstm": 205_582, "transformer": 332_174, "mamba": 236_430}


@pytest.fixture(params=SMALL)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def network(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    return build(SMALL[name], inputs=10, targets=3).eval()


@pytest.fixture
def x_BTC() -> torch.Tensor:
    return torch.randn(5, 20, 10, generator=torch.Generator().manual_seed(2))


def test_one_row_of_targets_for_each_row_of_inputs(network: torch.nn.Module, x_BTC: torch.Tensor) -> None:
    assert network(x_BTC).shape == (5, 20, 3)


def test_permuting_the_batch_permutes_the_result(network: torch.nn.Module, x_BTC: torch.Tensor) -> None:
    order = torch.tensor([3, 0, 4, 1, 2])

    torch.testing.assert_close(network(x_BTC[order]), network(x_BTC)[order])


def test_changing_one_sequence_changes_its_row_only(network: torch.nn.Module, x_BTC: torch.Tensor) -> None:
    changed = x_BTC.clone()
    changed[2] += 1

    difference = (network(changed) - network(x_BTC)).abs().amax(dim=(1, 2))

    assert difference[2] > 1e-3
    torch.testing.assert_close(difference[[0, 1, 3, 4]], torch.zeros(4), atol=1e-6, rtol=0)


def test_who_sees_the_future(name: str, network: torch.nn.Module, x_BTC: torch.Tensor) -> None:
    changed = x_BTC.clone()
    changed[:, 15:] += 1

    difference = (network(changed) - network(x_BTC)).abs().amax(dim=(0, 2))

    assert difference[15:].min() > 1e-4
    past = difference[:15].max()
    assert past <= 1e-6 if name in CAUSAL else past > 1e-5


def test_every_weight_learns(network: torch.nn.Module, x_BTC: torch.Tensor) -> None:
    network.train()(x_BTC).square().mean().backward()

    untouched = [name for name, weight in network.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert untouched == []


@pytest.mark.parametrize("kind", NETWORKS)
def test_the_published_size(kind: str) -> None:
    settings = {"lstm": LstmSettings(), "transformer": TransformerSettings(), "mamba": MambaSettings()}[kind]

    network = build(settings, inputs=10, targets=14)

    assert sum(weight.numel() for weight in network.parameters()) == PUBLISHED_SIZE[kind]
