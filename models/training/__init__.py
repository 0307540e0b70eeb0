"""A release's cycles, its split by subject and a training recipe in; a trained run out.

Read `train.py` first, which is `gait2hip train`. It calls, from the top down: `protocols.py` (which subjects are
tested), `train_on_split.py` (one trained run from one split), `training_loop.py` (epochs until the validation loss
stops improving) and `network_training.py` (one network and its optimizer).
"""
