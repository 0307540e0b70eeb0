"""A static trial in, a model sized by marker pairs out, as OpenSim's ScaleTool does. Read `marker_pairs.py` first."""
