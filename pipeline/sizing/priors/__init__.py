"""What is known of a body before it is measured, with how sure that is. Read `proportions.py` and `places.py` first."""
