"""A C3D file's bytes in, a `Recording` in SI units out. Read `read_c3d.py` first."""
