"""A skeleton's arrays in another size, as OpenSim scales a model: what a body's factors move with it."""

import numpy as np

from pipeline.mechanics.arrays import Tree


def scaled_tree(tree: Tree, factors: np.ndarray) -> Tree:
    """The tree with its bodies larger by factors (B, 3) along their own axes; masses are left as they are.

    A joint's frame on the parent moves with the parent, and so does how far the joint slides; its frame on the body
    moves with the body (OpenSim's Joint::scale and SpatialTransform::scale).
    """
    before = np.einsum("bji,bj->bi", tree.body_rotation, tree.body_origin_m)
    parent_of_axis = tree.parent[tree.moved]
    slides = ~tree.turns.astype(bool) & (parent_of_axis > 0)
    longer = np.abs(np.einsum("ai,ai->a", tree.direction, factors[parent_of_axis]))
    return tree._replace(
        joint_origin_m=tree.joint_origin_m * factors[tree.parent],
        body_origin_m=np.einsum("bij,bj->bi", tree.body_rotation, before * factors),
        direction=np.where(slides[:, None], tree.direction * longer[:, None], tree.direction),
    )


def joints_on_bodies_m(tree: Tree) -> np.ndarray:
    """Where each body's own joint lies on it, (B, 3), in the body's frame."""
    places: np.ndarray = -np.einsum("bji,bj->bi", tree.body_rotation, tree.body_origin_m)
    return places
