"""The scan against the recurrence as written, and against a case solved by hand."""

import math

import pytest
import torch

from models.networks.selective_scan import selective_scan, steps


def _inputs(dtype: torch.dtype) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(3)
    batch, points, channels, states = 3, 17, 6, 4
    tensors = [
        torch.randn(batch, points, channels, generator=random, dtype=dtype),
        torch.rand(batch, points, channels, generator=random, dtype=dtype) * 0.3 + 1e-3,
        -torch.rand(channels, states, generator=random, dtype=dtype) * 8 - 0.5,
        torch.randn(batch, points, states, generator=random, dtype=dtype),
        torch.randn(batch, points, states, generator=random, dtype=dtype),
    ]
    return [tensor.requires_grad_() for tensor in tensors]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-5)])
def test_the_same_values_and_gradients_as_the_readable_twin(dtype: torch.dtype, tolerance: float) -> None:
    tensors = _inputs(dtype)
    weight = torch.randn(3, 17, 6, generator=torch.Generator().manual_seed(4), dtype=dtype)

    fast, plain = selective_scan(*tensors), steps(*tensors)
    fast_gradients = torch.autograd.grad((fast * weight).sum(), tensors)
    plain_gradients = torch.autograd.grad((plain * weight).sum(), tensors)

    torch.testing.assert_close(fast, plain, atol=tolerance, rtol=tolerance)
    for ours, expected in zip(fast_gradients, plain_gradients, strict=True):
        torch.testing.assert_close(ours, expected, atol=tolerance, rtol=tolerance)


def test_gradients_are_the_slopes_of_the_values() -> None:
    tensors = [tensor[:1, :5] if tensor.ndim == 3 else tensor for tensor in _inputs(torch.float64)]

    assert torch.autograd.gradcheck(selective_scan, [tensor.detach().requires_grad_() for tensor in tensors])


def test_a_constant_drive_settles_where_decay_and_drive_balance() -> None:
    # h = exp(Δa) h + Δ b x has the fixed point Δ b x / (1 - exp(Δa)); after n steps exp(nΔa) of it is missing.
    step, decay, drive, points = 0.1, -2.0, 3.0, 40
    ones = torch.ones(1, points, 1, dtype=torch.float64)

    y = selective_scan(drive * ones, step * ones, torch.tensor([[decay]], dtype=torch.float64), ones, 5 * ones)

    settled = 5 * step * drive / (1 - math.exp(step * decay))
    expected = [settled * (1 - math.exp(n * step * decay)) for n in range(1, points + 1)]
    torch.testing.assert_close(y.flatten(), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_the_fused_kernel_gives_the_same() -> None:
    pytest.importorskip("mamba_ssm")
    tensors = [tensor.detach().cuda().requires_grad_() for tensor in _inputs(torch.float32)]

    fast, plain = selective_scan(*tensors), steps(*tensors)

    torch.testing.assert_close(fast, plain, atol=1e-4, rtol=1e-4)
    fast_gradients = torch.autograd.grad(fast.square().sum(), tensors)
    plain_gradients = torch.autograd.grad(plain.square().sum(), tensors)
    for ours, expected in zip(fast_gradients, plain_gradients, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-3, rtol=1e-3)
