"""A static trial in, the subject's own model out. Read `size_subject.py` first."""
