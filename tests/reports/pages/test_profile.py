import numpy as np

from reports.pages.profile import ProfileBody, profile_page

MEASURED = {"RASI": np.array([0.1, 0.9, 0.12]), "<LASI>": np.array([0.1, 0.9, -0.12])}


def page(body, why_none=""):
    return profile_page("Profile lab: stand.c3d", [("RASI", "right spine", "name")], ["no trunk"], body, why_none)


def test_the_page_shows_the_body_from_three_sides_with_what_judges_it() -> None:
    body = ProfileBody(
        measured_m=MEASURED,
        modelled_m=MEASURED,
        bones={"femur_r": (np.array([0.0, 0.9, 0.1]), np.array([0.0, 0.5, 0.1]))},
        factors={"pelvis": (1.0, 1.1, 1.234)},
        figures=[("pelvis less spines", "standing", "-0.7 degree", "5")],
    )
    text = page(body)
    for title in ("from the right", "from the front", "from above"):
        assert title in text
    assert "pelvis less spines" in text
    assert "1.23" in text
    assert "&lt;LASI&gt;" in text
    assert "<LASI>" not in text
    assert text == page(body)


def test_without_a_body_the_page_says_why() -> None:
    assert "pass --mass and --height" in page(None, "stand.c3d states no mass: pass --mass and --height.")
