"""A model's mechanics in compiled code: arrays of a model and its motion in, poses, moments and muscle forces out.

`arrays.py` says what a model is here: read it first. `compiled.py` is the door to numba. Nothing here knows OpenSim;
`pipeline/osim/arrays/` reads a model into these arrays.
"""
