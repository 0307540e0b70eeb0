import numpy as np

from reports.pages.curves import Band
from reports.pages.figures import Panel, draw_panels


def a_panel(title: str) -> Panel:
    curve = np.sin(np.linspace(0, 6, 50))
    bands = {
        condition: Band(mean=curve * size, sd=np.full(50, 0.1), n_subjects=3, n_cycles=9)
        for size, condition in enumerate(("slow", "fast"), start=1)
    }
    return Panel(title=title, unit="degree", bands=bands)


def test_the_same_data_gives_the_same_bytes() -> None:
    assert draw_panels([a_panel("hip flexion")]) == draw_panels([a_panel("hip flexion")])


def test_titles_units_and_conditions_are_text() -> None:
    drawn = draw_panels([a_panel(f"muscle {number}") for number in range(7)])

    assert drawn.startswith("<svg")
    for text in ("muscle 0", "muscle 6", "degree", "slow", "fast", "gait cycle [%]"):
        assert f">{text}</text>" in drawn
