"""A model's file in; the model in memory, its poses, parts and mechanics out. Read `shared_model.py` first."""
