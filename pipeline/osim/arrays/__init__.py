"""OpenSim models read into the arrays of `pipeline/mechanics/arrays.py`, once a model. `read_model.py` first.

What arrays can't say raises `Unsupported` with the part's name; who asked decides what to do instead.
"""
