"""Trained runs and a release in; how the runs compare on unseen subjects, and whether a challenger is promoted, out.

Read `evaluate.py` first.
"""
