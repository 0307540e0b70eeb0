"""The recurrence at the heart of Mamba (Gu & Dao 2023, eq. 2, discretised as in their algorithm 2).

    h[t] = exp(Δ[t] A) h[t-1] + Δ[t] B[t] x[t]        y[t] = C[t] · h[t]

B sequences, T time steps, D channels, N states of each channel:
x and step (Δ) are (B, T, D), a is (D, N), b and c are (B, T, N), the result is (B, T, D).
`steps` is the recurrence as written; `selective_scan` gives the same numbers and gradients, faster.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def selective_scan(x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """(B, T, D) -> (B, T, D), by the fastest way on the device. A NaN reaches all later steps.

    Computed at least as precisely as `a`, a network's weight, because rounding errors add up over the steps.
    """
    x, step, b, c = (tensor.to(torch.promote_types(tensor.dtype, a.dtype)) for tensor in (x, step, b, c))
    if torch.compiler.is_exporting():
        return _as_one_operation(x, step, a, b, c)
    if x.is_cuda and _fused_kernel_is_installed():
        return _fused(x, step, a, b, c)
    return _InPlace.apply(x, step, a, b, c)


def steps(x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The readable twin: the same (B, T, D), one line of algebra a time step."""
    h_BDN = x.new_zeros(x.shape[0], *a.shape)
    y = []
    for t in range(x.shape[1]):
        decay_BDN = torch.exp(step[:, t, :, None] * a)
        h_BDN = decay_BDN * h_BDN + (step * x)[:, t, :, None] * b[:, t, None, :]
        y.append((h_BDN * c[:, t, None, :]).sum(-1))
    return torch.stack(y, dim=1)


def _as_one_operation(x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """The recurrence as one operation of a graph, for exporters, which would unroll a loop."""
    from torch._higher_order_ops.scan import scan

    def advance(h_BDN: Tensor, at_t: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        decay_BDN, drive_BDN, c_BN = at_t
        h_BDN = decay_BDN * h_BDN + drive_BDN
        return h_BDN, (h_BDN * c_BN.unsqueeze(1)).sum(-1)

    decay_BTDN = torch.exp(step.unsqueeze(-1) * a)
    drive_BTDN = (step * x).unsqueeze(-1) * b.unsqueeze(2)
    start_BDN = torch.zeros_like(drive_BTDN[:, 0], memory_format=torch.contiguous_format)
    time_first = tuple(tensor.transpose(0, 1).contiguous() for tensor in (decay_BTDN, drive_BTDN, c))
    _, y_TBD = scan(advance, start_BDN, time_first, dim=0)
    return y_TBD.transpose(0, 1)


@cache
def _fused_kernel_is_installed() -> bool:
    return find_spec("mamba_ssm") is not None


def _fused(x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    # The one door to mamba_ssm, which can't be imported without CUDA and triton.
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    time_last = (tensor.transpose(1, 2).contiguous() for tensor in (x, step))
    return selective_scan_fn(*time_last, a, b.transpose(1, 2), c.transpose(1, 2)).transpose(1, 2)


class _InPlace(torch.autograd.Function):
    """The recurrence with its gradient written out, so that each step works in buffers that stay in the cache.

    Autograd alone would allocate and keep several (B, D, N) arrays a step. Arrays are (T, B, N, D), with time first and
    states before channels, so that each operation runs along contiguous channels.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        x_TBD, step_TBD, b_TBN, c_TBN = (tensor.transpose(0, 1).contiguous() for tensor in (x, step, b, c))
        a_ND = a.t().contiguous()
        drive_TBD = step_TBD * x_TBD
        (points, batch, channels), states = x_TBD.shape, a_ND.shape[0]

        h = x.new_empty(points + 1, batch, states, channels)  # h[t] is the state before step t
        h[0] = 0
        y = x.new_empty(points, batch, 1, channels)
        decay = x.new_empty(batch, states, channels)
        for t in range(points):
            torch.mul(step_TBD[t, :, None], a_ND, out=decay).exp_().mul_(h[t])
            torch.addcmul(decay, drive_TBD[t, :, None], b_TBN[t, :, :, None], out=h[t + 1])
            torch.bmm(c_TBN[t, :, None], h[t + 1], out=y[t])

        ctx.save_for_backward(x_TBD, step_TBD, a_ND, b_TBN, c_TBN, h)
        return y.squeeze(2).transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, ...]:
        x, step, a, b, c, h = ctx.saved_tensors
        grad_y = grad_y.transpose(0, 1).contiguous()
        drive = step * x
        (points, batch, channels), states = x.shape, a.shape[0]

        grad_drive = x.new_empty(points, batch, 1, channels)
        grad_step = x.new_empty(points, batch, channels)
        grad_b, grad_c = (x.new_empty(points, batch, states, 1) for _ in range(2))
        grad_a = x.new_zeros(batch, states, channels)
        grad_h, decay, grad_exponent = (x.new_zeros(batch, states, channels) for _ in range(3))
        for t in reversed(range(points)):
            grad_h.addcmul_(grad_y[t, :, None], c[t, :, :, None])
            torch.bmm(h[t + 1], grad_y[t, :, :, None], out=grad_c[t])
            torch.bmm(grad_h, drive[t, :, :, None], out=grad_b[t])
            torch.bmm(b[t, :, None], grad_h, out=grad_drive[t])
            # d h[t] / d (Δ A) = exp(Δ A) h[t-1]; what remains of grad_h after the decay is h[t-1]'s gradient.
            grad_h.mul_(torch.mul(step[t, :, None], a, out=decay).exp_())
            torch.mul(grad_h, h[t], out=grad_exponent)
            grad_a.addcmul_(grad_exponent, step[t, :, None])
            torch.sum(grad_exponent.mul_(a), dim=1, out=grad_step[t])

        grad_drive = grad_drive.squeeze(2)
        by_time = (grad_drive * step, grad_step + grad_drive * x, grad_b.squeeze(3), grad_c.squeeze(3))
        grad_x, grad_step, grad_b, grad_c = (tensor.transpose(0, 1) for tensor in by_time)
        return grad_x, grad_step, grad_a.sum(0).t(), grad_b, grad_c
