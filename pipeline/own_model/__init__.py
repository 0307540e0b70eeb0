"""A scaled model of the subject's own: how it stands, what its coordinates do. Read `solved_motion.py` first."""
