"""Published gait and a person's own deviations in, joint angles over a stride out. Read `normal_gait.py` first."""
