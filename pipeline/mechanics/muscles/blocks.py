"""Which equations controls tie together: a static optimization falls apart into blocks that can be solved alone.

Shapes: F equations, N controls, K blocks, E entries: the gain of each block's controls on its equations; all others
are zero.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Blocks(NamedTuple):
    """Equations, controls and entries, block after block.

    first_equation (K + 1,), equation (F,): the equations of each block. first_control (K + 1,), control (N,): its
    controls, those of no equation in a block of their own without equations. first_entry (K + 1,): its entries,
    equation by equation.
    """

    first_equation: np.ndarray
    equation: np.ndarray
    first_control: np.ndarray
    control: np.ndarray
    first_entry: np.ndarray


def find_blocks(touches: np.ndarray) -> Blocks:
    """The blocks of a gain that may differ from zero where `touches` (F, N) is True."""
    n_equations = len(touches)
    root = np.arange(n_equations)
    for column in touches.T:
        tied = np.unique(root[column])
        if len(tied) > 1:
            root[np.isin(root, tied)] = tied[0]
    # A control belongs to the block of any of its equations; -1 for none.
    owner = np.full(touches.shape[1], -1)
    for equation in range(n_equations):
        owner[touches[equation]] = root[equation]
    names = [*np.unique(root).tolist(), *([-1] if (owner == -1).any() else [])]
    equations = [np.flatnonzero(root == name) for name in names]
    controls = [np.flatnonzero(owner == name) for name in names]
    sizes = [len(some) * len(others) for some, others in zip(equations, controls, strict=True)]
    return Blocks(
        first_equation=_firsts([len(group) for group in equations]),
        equation=_joined(equations),
        first_control=_firsts([len(group) for group in controls]),
        control=_joined(controls),
        first_entry=_firsts(sizes),
    )


def block_of_equations(blocks: Blocks) -> np.ndarray:
    """The block of each equation, (F,)."""
    block = np.empty(len(blocks.equation), dtype=np.int64)
    block[blocks.equation] = np.repeat(np.arange(len(blocks.first_equation) - 1), np.diff(blocks.first_equation))
    return block


def block_of_controls(blocks: Blocks) -> np.ndarray:
    """The block of each control, (N,)."""
    block = np.empty(len(blocks.control), dtype=np.int64)
    block[blocks.control] = np.repeat(np.arange(len(blocks.first_control) - 1), np.diff(blocks.first_control))
    return block


def block_parts(blocks: Blocks, entry: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each block: its gain in every frame (T, M, J), from entries (T, E), its equations (M,), its controls (J,)."""
    for block in range(len(blocks.first_equation) - 1):
        equations = blocks.equation[blocks.first_equation[block] : blocks.first_equation[block + 1]]
        controls = blocks.control[blocks.first_control[block] : blocks.first_control[block + 1]]
        own = entry[:, blocks.first_entry[block] : blocks.first_entry[block + 1]]
        yield own.reshape(len(entry), len(equations), len(controls)), equations, controls


def entry_places(blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    """The equation and the control of each entry, (E,) each."""
    equations = np.split(blocks.equation, blocks.first_equation[1:-1])
    controls = np.split(blocks.control, blocks.first_control[1:-1])
    pairs = list(zip(equations, controls, strict=True))
    return (
        _joined([np.repeat(some, len(others)) for some, others in pairs]),
        _joined([np.tile(others, len(some)) for some, others in pairs]),
    )


def _firsts(sizes: list[int]) -> np.ndarray:
    return np.cumsum([0, *sizes], dtype=np.int64)


def _joined(groups: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *groups]).astype(np.int64)
