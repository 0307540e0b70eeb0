"""A cohort and a number in, a body with markers out. Read `body.py` first."""
