"""How well the sized model stood on the static trial's markers, before its markers were moved onto them.

Once moved they fit by construction, and no walk's marker error can show that a place in the profile, or a label, was
wrong: that error became the zero of every angle. So it is said.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.session.profile import Profile
from pipeline.session.recipe import QualitySettings


def static_fit_warnings(
    marker_error_m: Mapping[str, float], profile: Profile, settings: QualitySettings
) -> tuple[str, ...]:
    """One sentence if the static pose fits badly, over the markers that shape it; else nothing.

    `marker_error_m` is how far each marker of the sized model stood from the measured one; NaN where it wasn't seen.
    """
    errors_m = {
        name: error
        for name, error in marker_error_m.items()
        if np.isfinite(error) and profile.markers[name].static_weight > 0 and not profile.markers[name].guide
    }
    rms_m = float(np.sqrt(np.mean(np.square(list(errors_m.values())))))
    if rms_m <= settings.max_static_rms_m:
        return ()
    worst = max(errors_m, key=lambda name: errors_m[name])
    return (
        f"the sized model stands {rms_m * 1e3:.0f} mm (root mean square) from the static trial's markers, {worst} "
        f"{errors_m[worst] * 1e3:.0f} mm: angles are measured from that pose; look at `static_markers`",
    )
