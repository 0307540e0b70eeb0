"""Scaled dot-product attention with dropout: softmax(Q Kᵀ / √S) V (Vaswani et al. 2017, eq. 1).

B sequences, A heads, T time steps, S channels of a head; M = B * A sequences of one head each.
PyTorch has a fused kernel for GPUs, and one without dropout for CPUs. With dropout on a CPU it falls back to separate
operations over arrays of (B, A, T, T), which take about twice as long as `_InCache`.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from models.networks.dropout import kept, scale

# Sequences of one head computed at once: for gait cycles their (T, T) weights fit into the cache.
_AT_ONCE = 4


def attention(query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
    """(B, A, T, S) three times -> (B, A, T, S). Dropout 0 while predicting."""
    if dropout == 0 or query.device.type != "cpu":
        return functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    shape = query.shape
    merged = (tensor.reshape(-1, *shape[2:]) for tensor in (query, key, value))
    return _InCache.apply(*merged, dropout).view(shape)


def plain(query: Tensor, key: Tensor, value: Tensor, keep: Tensor, kept_scale: float) -> Tensor:
    """The readable twin, with its dropout given: which weights are kept (M, T, T), and their scale."""
    weights = torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, dim=-1)
    return (weights * keep * kept_scale) @ value


class _InCache(torch.autograd.Function):
    """(M, T, S) three times -> (M, T, S), a few sequences at a time in reused buffers.

    Weights are recomputed for the gradient, which is cheaper than storing all (M, T, T) of them.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, dropout: float) -> Tensor:
        keep = kept(torch.Size([*query.shape[:2], query.shape[1]]), dropout)
        ctx.save_for_backward(query, key, value, keep)
        ctx.scale = scale(dropout)
        seen = torch.empty_like(value)
        weights, mask = _buffers(query, 2)
        for part in _parts(query):
            w, m = (buffer[: part.stop - part.start] for buffer in (weights, mask))
            _weights(query[part], key[part], out=w).mul_(m.copy_(keep[part]))
            _product(w, value[part], ctx.scale, out=seen[part])
        return seen

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, keep = ctx.saved_tensors
        root = query.shape[-1] ** -0.5
        grad_query, grad_key, grad_value = (torch.empty_like(tensor) for tensor in (query, key, value))
        weights, mask, scores = _buffers(query, 3)
        for part in _parts(query):
            w, m, s = (buffer[: part.stop - part.start] for buffer in (weights, mask, scores))
            _weights(query[part], key[part], out=w)
            m.copy_(keep[part])
            torch.mul(w, m, out=s)
            _product(s.transpose(1, 2), grad[part], ctx.scale, out=grad_value[part])
            # The weights' gradient g, and through the softmax: w ∘ (g - Σ g ∘ w), the sum along each row.
            _product(grad[part], value[part].transpose(1, 2), ctx.scale, out=s).mul_(m)
            s.sub_(torch.mul(s, w, out=m).sum(dim=-1, keepdim=True)).mul_(w)
            _product(s, key[part], root, out=grad_query[part])
            _product(s.transpose(1, 2), query[part], root, out=grad_key[part])
        return grad_query, grad_key, grad_value, None


def _parts(query: Tensor) -> Iterator[slice]:
    return (slice(start, min(start + _AT_ONCE, len(query))) for start in range(0, len(query), _AT_ONCE))


def _buffers(query: Tensor, count: int) -> Iterator[Tensor]:
    return (query.new_empty(_AT_ONCE, query.shape[1], query.shape[1]) for _ in range(count))


def _weights(query: Tensor, key: Tensor, out: Tensor) -> Tensor:
    scores = _product(query, key.transpose(1, 2), query.shape[-1] ** -0.5, out=out)
    return torch.softmax(scores, dim=-1, out=out)


def _product(a: Tensor, b: Tensor, factor: float, out: Tensor) -> Tensor:
    """The product a @ b times a factor, in one pass: with beta 0, `out` is not added."""
    return torch.baddbmm(out, a, b, beta=0, alpha=factor, out=out)
