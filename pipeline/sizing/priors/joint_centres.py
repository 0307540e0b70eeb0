"""Where hip centres lie by what markers over the pelvis and the leg say: published regressions.

Everything in the ground frame, metres; NaN where a marker that is needed was not seen. Shapes: N frames.
"""

import numpy as np

# A hip centre's standard deviation along an axis. Left-out people were 5.2, 3.6 and 3.2 mm off by Harrington et al.'s
# equations and 5.2, 4.4 and 3.8 mm by Hara et al.'s, from bones: 4.3 in the root mean square. Both hips of a person are
# off alike, so that the two tell no more than one: each has the square root of two of that.
HIP_SD_M = 0.006


def hip_centres(
    right_anterior: np.ndarray,
    left_anterior: np.ndarray,
    posterior: np.ndarray,
    *,
    leg_m: np.ndarray,
    over_anterior_m: tuple[float, float, float],
    over_posterior_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Right and left hip centre (N, 3): the mean of two regressions, or the first where `leg_m` (N,) is NaN.

    Harrington et al. 2007 (J Biomech 40:595) from pelvic width and depth, and Hara et al. 2016 (Sci Rep 6:37707) from
    the leg's length from anterior spine to medial malleolus. Both were found on bones: what lies between the right
    anterior spine and its marker, `over_anterior_m` (3,) in the pelvis's frame, and `over_posterior_m` behind the
    posterior ones, is taken off first. `posterior` is the middle between the posterior markers.
    """
    across = _unit(right_anterior - left_anterior)
    ahead = (right_anterior + left_anterior) / 2 - posterior
    ahead = _unit(ahead - across * (ahead * across).sum(axis=1, keepdims=True))
    # Skin lies over the spines in their own plane, before and behind, and to the side of the anterior ones.
    before_m, beside_m = float(np.hypot(*over_anterior_m[:2])), abs(over_anterior_m[2])
    middle = (right_anterior + left_anterior) / 2 - before_m * ahead
    width = np.linalg.norm(right_anterior - left_anterior, axis=1) - 2 * beside_m
    depth = np.linalg.norm(middle - (posterior + over_posterior_m * ahead), axis=1)
    by_pelvis = np.stack([-0.24 * depth - 0.0099, -0.30 * width - 0.0109, 0.33 * width + 0.0073])
    by_leg = np.stack([0.011 - 0.063 * leg_m, -0.009 - 0.078 * leg_m, 0.008 + 0.086 * leg_m])
    forward, upward, outward = np.where(np.isfinite(leg_m), (by_pelvis + by_leg) / 2, by_pelvis)[..., None]
    below = middle + forward * ahead + upward * np.cross(across, ahead)
    return below + outward * across, below - outward * across


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
