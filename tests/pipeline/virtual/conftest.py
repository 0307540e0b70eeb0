"""One virtual subject's body, noise-free, for all tests that move it."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def body():
    from pipeline.session.load_profile import load_profile
    from pipeline.virtual.person.anthropometry import draw_subject
    from pipeline.virtual.person.body import make_body

    rng = np.random.default_rng(100)
    return make_body(draw_subject("healthy", 1, rng), load_profile("isb_full_body"), 0.0, rng)


@pytest.fixture(scope="session")
def style(body):
    from pipeline.virtual.gait.style import draw_style

    return draw_style(body.subject, np.random.default_rng(7))


@pytest.fixture(scope="session")
def fast_walk(body, style):
    from pipeline.virtual.walk import walk

    return walk(body, style, "fast", np.random.default_rng(3))
