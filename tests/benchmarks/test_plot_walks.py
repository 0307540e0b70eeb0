import numpy as np
import pandas as pd

from benchmarks.plot_walks import PANELS, draw

N_SAMPLES = 11


def cycle(side: str, value: float) -> pd.DataFrame:
    columns = {panel.column: value for row in PANELS for panel in row}
    return pd.DataFrame(
        {
            "phase": np.linspace(0, 1, N_SAMPLES),
            "side": side,
            "cycle": 0,
            "condition": "med",
            "toe_off_phase": 0.6,
            **columns,
        }
    )


def test_every_panel_has_both_legs_and_their_foot_off() -> None:
    figure = draw(pd.concat([cycle("right", 1.0), cycle("left", 2.0)]), "c/s/v/t")
    assert len(figure.axes) == sum(map(len, PANELS))
    for axis in figure.axes:
        curves = {line.get_label(): line for line in axis.get_lines() if len(line.get_xdata()) == N_SAMPLES}
        np.testing.assert_allclose(curves["right"].get_ydata(), 1.0)
        np.testing.assert_allclose(curves["left"].get_ydata(), 2.0)
        np.testing.assert_allclose(curves["left"].get_xdata()[[0, -1]], [0, 100])
        assert [60.0, 60.0] in [list(line.get_xdata()) for line in axis.get_lines()]


def test_a_trial_with_one_leg_is_drawn_too() -> None:
    figure = draw(cycle("left", 2.0), "c/s/v/t")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["left"]
