"""Inverse kinematics: measured markers in, the poses that fit them best out. `fit.py` first.

`fit.py` asks `starts.py` for the optimum of every frame, which chooses where `descent.py` starts and calls it as often
as needed; `objective.py` is what is made small, with its derivatives. `gaps.py` completes what no marker showed.
"""
