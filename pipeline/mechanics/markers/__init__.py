"""Inverse kinematics: measured marker positions in, the poses of least error out. `starts.py` shows a whole walk."""
