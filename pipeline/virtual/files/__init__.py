"""What instruments showed in, a session's folder of C3D files and the truth out. Read `session_files.py` first."""
