"""A body and a gait in; feet that hold the floor, and the forces that make the motion, out.

Read `perform.py` first.
"""
