"""What holds for every network, and what each of the three is known for."""

import pytest
import torch
from pydantic import ValidationError

from models.networks import lstm
from models.networks.by_name import NETWORKS, NetworkSettings, build
from models.networks.lstm import Lstm, LstmSettings
from models.networks.mamba import Mamba, MambaSettings
from models.networks.transformer import Transformer, TransformerSettings

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


def test_the_lstm_is_the_published_recurrence() -> None:
    # One unit, one step, by hand: gates i, f, g, o of x alone (Hochreiter & Schmidhuber 1997, with forget gate).
    network = Lstm(LstmSettings(hidden=1, layers=1), inputs=1, targets=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        network.lstm.weight_ih_l0.copy_(torch.tensor([[1.0], [0.0], [2.0], [3.0]]))
        network.fc.weight.fill_(1.0)
    x = torch.tensor(0.5)

    cell = torch.sigmoid(x) * torch.tanh(2 * x)
    expected = torch.sigmoid(3 * x) * torch.tanh(cell)
    torch.testing.assert_close(network(x.reshape(1, 1, 1)).squeeze(), expected)


def test_the_transformer_is_torch_s_encoder_with_the_same_weights(x_BTC: torch.Tensor) -> None:
    settings = TransformerSettings(d_model=16, heads=4, feed_forward=32, max_points=40, dropout=0)
    network = Transformer(settings, inputs=10, targets=3)
    layer = torch.nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    encoder = torch.nn.TransformerEncoder(layer, num_layers=2)
    encoder.load_state_dict(network.encoder.state_dict(), strict=True)

    embedded = network.input_proj(x_BTC) + network.pos_encoder.pos_embed.weight[:20]
    torch.testing.assert_close(network(x_BTC), network.output_proj(encoder(embedded)), atol=1e-5, rtol=1e-5)


def test_layers_of_the_transformer_start_alike() -> None:
    first, second = Transformer(TransformerSettings(), 10, 3).encoder.layers

    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_sequence_longer_than_its_positions_is_refused() -> None:
    network = Transformer(TransformerSettings(d_model=16, heads=2, max_points=10), 10, 3)

    with pytest.raises(ValueError, match=r"11 points.*learned 10 positions"):
        network(torch.zeros(1, 11, 10))


def test_mamba_s_time_steps_start_between_a_thousandth_and_a_tenth() -> None:
    torch.manual_seed(0)
    for block in Mamba(MambaSettings(), 10, 3).blocks:
        steps = torch.nn.functional.softplus(block.dt_proj.bias)

        assert steps.min() > 0.99e-3
        assert steps.max() < 0.101
        # Log-uniform: half of them below the geometric mean of both ends.
        assert 0.35 < (steps < 1e-2).float().mean() < 0.65


def test_heads_that_can_t_share_the_embedding_are_refused() -> None:
    with pytest.raises(ValidationError, match="multiple"):
        TransformerSettings(d_model=10, heads=4)


def test_a_processor_without_bfloat16_runs_an_lstm_in_single_precision(
    monkeypatch: pytest.MonkeyPatch, x_BTC: torch.Tensor
) -> None:
    monkeypatch.setattr(lstm, "CPU_TAKES_BFLOAT16", False)
    network = Lstm(LstmSettings(hidden=8), inputs=10, targets=3)
    seen: list[torch.dtype] = []
    network.lstm.register_forward_hook(lambda _module, _inputs, found: seen.append(found[0].dtype))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(x_BTC).dtype == torch.bfloat16

    assert seen == [torch.float32]
