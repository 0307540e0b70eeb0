"""The LSTM: the published recurrence, and single precision where the processor has no other."""

import pytest
import torch

from models.networks import lstm
from models.networks.lstm import Lstm, LstmSettings


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


def test_a_processor_without_bfloat16_runs_an_lstm_in_single_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lstm, "CPU_TAKES_BFLOAT16", False)
    network = Lstm(LstmSettings(hidden=8), inputs=10, targets=3)
    seen: list[torch.dtype] = []
    network.lstm.register_forward_hook(lambda _module, _inputs, output: seen.append(output[0].dtype))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(torch.randn(5, 20, 10)).dtype == torch.bfloat16

    assert seen == [torch.float32]
