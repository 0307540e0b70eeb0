"""Predicted and measured curves in; scores, comparisons of models and a verdict out. Read `scorecard.py` first."""
