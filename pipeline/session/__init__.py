"""What people write, in: a session, a profile, a recipe. Checked, frozen settings out. Read `session.py` first."""
