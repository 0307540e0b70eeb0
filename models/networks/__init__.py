"""(B, T, C) in, (B, T, K) out: one predictor a file, with its settings. Read `by_name.py` first."""
