"""Attention against its readable twin, torch's own, and a case solved by hand."""

import pytest
import torch

from models.networks.attention import attention, plain
from models.networks.dropout import kept, scale


def _inputs() -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, 9, 4, generator=random, dtype=torch.float64, requires_grad=True) for _ in range(3)]


def test_with_dropout_it_is_its_readable_twin_with_the_same_noise() -> None:
    tensors, rate = _inputs(), 0.3
    weight = torch.randn(2, 3, 9, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    torch.manual_seed(2)
    fast = attention(*tensors, rate)
    torch.manual_seed(2)
    keep = kept(torch.Size([6, 9, 9]), rate)
    twin = plain(*(tensor.flatten(0, 1) for tensor in tensors), keep, scale(rate)).view(2, 3, 9, 4)

    assert 0 < keep.sum() < keep.numel()
    torch.testing.assert_close(fast, twin)
    ours, expected = (torch.autograd.grad((y * weight).sum(), tensors) for y in (fast, twin))
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_without_dropout_it_is_torch_s() -> None:
    tensors = _inputs()

    torch.testing.assert_close(attention(*tensors, 0), torch.nn.functional.scaled_dot_product_attention(*tensors))


def test_the_mean_over_many_draws_is_attention_without_dropout() -> None:
    torch.manual_seed(0)
    tensors = [tensor.detach().float() for tensor in _inputs()]

    mean = torch.stack([attention(*tensors, 0.2) for _ in range(2000)]).mean(dim=0)

    torch.testing.assert_close(mean, attention(*tensors, 0), atol=0.05, rtol=0)


def test_equal_keys_are_attended_to_alike() -> None:
    query, value = torch.randn(1, 1, 5, 2), torch.randn(1, 1, 5, 2)

    seen = attention(query, torch.ones(1, 1, 5, 2), value, 0)

    assert seen[0, 0, 3].tolist() == pytest.approx(value[0, 0].mean(dim=0).tolist(), abs=1e-6)
