"""How well the sized model stood on the static trial's markers, before its markers were moved onto them.

Once moved they fit by construction, and no walk's marker error can show that a place in the profile, or a label, was
wrong: that error became the zero of every angle. So it is said.
"""

import numpy as np

from pipeline.storing.job import Job
from warehouse.files.read import read_table


def static_fit_warnings(job: Job) -> tuple[str, ...]:
    """One sentence if the session's static pose fits badly, over the markers that shape it; else nothing."""
    table = read_table(job.warehouse, "static_markers", job.session.key)
    errors_m = {
        name: error
        for name, error in zip(table["marker"].to_pylist(), table["error_m"].to_pylist(), strict=True)
        if np.isfinite(error) and job.profile.markers[name].static_weight > 0 and not job.profile.markers[name].guide
    }
    rms_m = float(np.sqrt(np.mean(np.square(list(errors_m.values())))))
    if rms_m <= job.recipe.quality.max_static_rms_m:
        return ()
    worst = max(errors_m, key=lambda name: errors_m[name])
    return (
        f"the sized model stands {rms_m * 1e3:.0f} mm (root mean square) from the static trial's markers, {worst} "
        f"{errors_m[worst] * 1e3:.0f} mm: angles are measured from that pose; look at `static_markers`",
    )
