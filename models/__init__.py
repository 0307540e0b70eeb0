"""The learning room: networks, training, metrics and prediction. The only room that may import torch.

Sub-rooms in the order in which they build on each other: `data`, `networks`, `scoring`, `predicting`, `learning`,
`comparing`. `jobs.py` is what the commands call: read it first. Weights never live here.
"""
