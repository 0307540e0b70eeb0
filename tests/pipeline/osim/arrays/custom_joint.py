"""One body on a CustomJoint whose six axes any coordinates drive, and what OpenSim says of its motion."""

from collections.abc import Sequence

import numpy as np
import opensim as osim

_BODY = ("body", 1.3, (0.1, -0.2, 0.05), (0.11, 0.07, 0.09, 0.01, 0.02, -0.015))
# Where the joint lies on the ground and on the body: places, metres, and turns, radians.
_OUTER = ((0.1, 0.2, 0.3), (0.2, 0.3, 0.1))
_INNER = ((-0.1, 0.1, 0.2), (0.3, 0.1, -0.2))


def custom_model(drivers: Sequence[int | None], seed: int = 1) -> osim.Model:
    """A model whose joint's rotations and then translations are cubics of the coordinates of these numbers."""
    random, model = np.random.default_rng(seed), osim.Model()
    name, mass_kg, centre_m, inertia = _BODY
    body = osim.Body(name, mass_kg, osim.Vec3(*centre_m), osim.Inertia(*inertia))
    model.addBody(body)
    axes = osim.SpatialTransform()
    for place, driver in enumerate(drivers):
        axis = axes.updTransformAxis(place)
        if driver is None:
            function: osim.Function = osim.Constant(0.0)
        else:
            names, coefficients = osim.ArrayStr(), osim.Vector.createFromMat(random.uniform(0.3, 1, 4))
            names.append(f"q{driver}")
            axis.setCoordinateNames(names)
            function = osim.PolynomialFunction(coefficients)
        axis.set_function(function)
    outer, inner = ([osim.Vec3(*vector) for vector in frame] for frame in (_OUTER, _INNER))
    joint = osim.CustomJoint("joint", model.getGround(), *outer, body, *inner, axes)
    model.addJoint(joint)
    model.finalizeConnections()
    model.initSystem()
    return model
