"""A static trial and walks in, the subject's own model out. Read `size_subject.py` first, then `posterior.py`."""
