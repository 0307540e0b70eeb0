"""A warehouse in; what it holds, where that came from and how two of them differ out. Read `contents.py` first."""
