"""The learning room: networks, training, metrics and prediction. The only room that may import torch.

Sub-rooms in the order in which they build on each other: `data`, `networks`, `scoring`, `predicting`, `training`,
`comparing`. Read `training/train.py` (`gait2hip train`) and `comparing/evaluate.py` (`gait2hip evaluate`) first.
Weights never live here.
"""
