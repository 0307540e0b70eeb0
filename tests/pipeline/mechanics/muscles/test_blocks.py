import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mechanics.muscles.blocks import block_of_controls, block_of_equations, entry_places, find_blocks


def test_controls_tie_their_equations_together() -> None:
    touches = np.zeros((5, 6), dtype=bool)
    touches[[0, 3], 1] = touches[[3, 4], 4] = touches[1, 0] = touches[0, 5] = True
    blocks = find_blocks(touches)
    groups = np.split(blocks.equation, blocks.first_equation[1:-1])
    assert [group.tolist() for group in groups] == [[0, 3, 4], [1], [2], []]
    groups = np.split(blocks.control, blocks.first_control[1:-1])
    assert [group.tolist() for group in groups] == [[1, 4, 5], [0], [], [2, 3]]
    assert blocks.first_entry.tolist() == [0, 9, 10, 10, 10]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 8), st.integers(0, 12), st.floats(0, 0.4), st.integers(0, 10**6))
def test_blocks_hold_everything_once(n_equations: int, n_controls: int, density: float, seed: int) -> None:
    touches = np.random.default_rng(seed).random((n_equations, n_controls)) < density
    blocks = find_blocks(touches)
    assert sorted(blocks.equation) == list(range(n_equations))
    assert sorted(blocks.control) == list(range(n_controls))
    equation, control = entry_places(blocks)
    inside = np.zeros(touches.shape, dtype=int)
    np.add.at(inside, (equation, control), 1)
    assert (inside[touches] == 1).all(), "every place that may differ from zero has an entry"
    of_equations, of_controls = block_of_equations(blocks), block_of_controls(blocks)
    np.testing.assert_array_equal(inside, of_equations[:, None] == of_controls[None, :])
    assert len(equation) == blocks.first_entry[-1]
