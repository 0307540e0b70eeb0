"""Dropout: its rate, its mean, its independence, and that predicting is untouched."""

import pytest
import torch

from models.networks.dropout import Dropout, kept


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_share_that_is_dropped_and_the_mean_that_stays(rate: float) -> None:
    torch.manual_seed(0)
    n_elements = 1_000_003

    dropped = Dropout(rate).train()(torch.ones(n_elements))

    spread = (rate * (1 - rate) / n_elements) ** 0.5
    assert (dropped == 0).double().mean() == pytest.approx(rate, abs=5 * spread)
    assert dropped.mean() == pytest.approx(1, abs=5 * spread / (1 - rate))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / (1 - rate)], rel=1e-4)


def test_neighbours_share_one_random_number_and_nothing_else() -> None:
    torch.manual_seed(0)
    drawn = 0.8 - kept(torch.Size([400_000]), 0.2).double()

    # Four neighbours come from one 64-bit number; covariances of 100,000 pairs spread by 0.16 / 316.
    quartets = drawn.view(-1, 4)
    covariance = quartets.T @ quartets / len(quartets)

    torch.testing.assert_close(covariance, 0.16 * torch.eye(4, dtype=torch.float64), atol=0.003, rtol=0)


def test_the_gradient_flows_where_values_do() -> None:
    x = torch.ones(1000, requires_grad=True)

    dropped = Dropout(0.3).train()(x)
    dropped.sum().backward()

    torch.testing.assert_close(x.grad, dropped.detach())


def test_one_seed_drops_the_same() -> None:
    torch.manual_seed(5)
    first = kept(torch.Size([7, 11]), 0.4)
    torch.manual_seed(5)

    assert torch.equal(kept(torch.Size([7, 11]), 0.4), first)


def test_predicting_drops_nothing() -> None:
    x = torch.randn(3, 4)

    assert Dropout(0.9).eval()(x) is x
    assert Dropout(0).train()(x) is x
