"""Markers or joint angles without plates in, gait cycles of ten angles out, for prediction.

Read `walk_angles.py` first.
"""
