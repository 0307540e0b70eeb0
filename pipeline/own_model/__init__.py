"""Sessions whose subject has a scaled model already: how it stands, what its coordinates do. Read `solved_motion.py`."""
