"""OpenSim's own tools, the reference that `exact` is compared with. Read `engine.py` first."""
