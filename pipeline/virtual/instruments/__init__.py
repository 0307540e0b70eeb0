"""A true motion in, what cameras and plates would show of it out. Read `capture.py` first."""
