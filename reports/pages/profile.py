"""The page of a proposed profile: what its labels were taken for, and the body that the static trial gives with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.pages.figures import View, draw_views
from reports.pages.render import render_page

# Sides of the body by the axes of ground: x forward, y up, z right.
VIEWS = (("from the right", 0, 1, 1), ("from the front", 2, 1, -1), ("from above", 2, 0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileBody:
    """A standing body: markers by label and bones by body, metres in ground; factors by body; figures as rows of text.

    figures: what, of what, value, limit.
    """

    measured_m: Mapping[str, np.ndarray]
    modelled_m: Mapping[str, np.ndarray]
    bones: Mapping[str, tuple[np.ndarray, np.ndarray]]
    factors: Mapping[str, tuple[float, float, float]]
    figures: Sequence[tuple[str, str, str, str]]


def profile_page(
    title: str, labels: Sequence[tuple[str, str, str]], notes: Sequence[str], body: ProfileBody | None, why_none: str
) -> str:
    """The whole page as HTML. `labels`: label, what it was taken for, how that was told; `why_none`: without a body."""
    return render_page(
        "profile.html",
        title=title,
        labels=labels,
        notes=notes,
        body=body,
        why_none=why_none,
        figure=_figure(body) if body else "",
    )


def _figure(body: ProfileBody) -> str:
    middle_m = np.mean(list(body.measured_m.values()), axis=0) * (1.0, 0.0, 1.0)
    views = []
    for title, across, up, sign in VIEWS:
        axes = [across, up]
        flip = np.array([sign, 1.0])
        views.append(
            View(
                title=title,
                measured={label: (place - middle_m)[axes] * flip for label, place in body.measured_m.items()},
                modelled={label: (place - middle_m)[axes] * flip for label, place in body.modelled_m.items()},
                lines=[
                    ((start - middle_m)[axes] * flip, (end - middle_m)[axes] * flip)
                    for start, end in body.bones.values()
                ],
            )
        )
    return draw_views(views)
