"""Gait cycles in; verdicts on subjects, trials and cycles that look wrong out. Statistics only: nothing is drawn.

Read `audit.py` first: it runs every check. `release.py` is what a release order takes as its audit.
"""
