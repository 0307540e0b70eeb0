"""How well a model sized by marker pairs stood on the static trial's markers, before its markers were moved onto them.

Once moved they fit by construction, and no walk's marker error can show that a place in the profile, or a label, was
wrong: that error became the zero of every angle. So it is said.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.records import BodyFigure
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings


def static_fit(marker_error_m: Mapping[str, float], profile: Profile, settings: ScalingSettings) -> BodyFigure:
    """How far the static pose is from the markers that shape it, root mean square, as an uncertainty.

    `marker_error_m` is how far each marker of the sized model stood from the measured one; NaN where it wasn't seen.
    """
    errors_m = {
        name: error
        for name, error in marker_error_m.items()
        if np.isfinite(error) and profile.markers[name].static_weight > 0 and not profile.markers[name].guide
    }
    worst = max(errors_m, key=lambda name: errors_m[name])
    return BodyFigure(
        figure="standing pose",
        of=f"the sized model ({worst} {errors_m[worst] * 1e3:.0f} mm)",
        value=float("nan"),
        sd=float(np.sqrt(np.mean(np.square(list(errors_m.values()))))) * 1e3,
        sd_limit=settings.max_static_rms_m * 1e3,
        unit="mm",
    )
