"""The learning room: networks, training, metrics and prediction. The only room that may import torch."""
