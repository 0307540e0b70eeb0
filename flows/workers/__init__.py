"""A call in, what became of it out: in another process, here or on a cluster. Read `worker_pool.py` first."""
