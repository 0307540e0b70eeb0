"""The science room: pure functions from raw recordings to records.

Sub-rooms in the order in which they build on each other: `c3d` reads, `session` says what people wrote, `markers` and
`ground` measure, `solving` and `osim` solve, `sizing` makes the subject's model. `process_trial.py` is one trial's
whole chain: read it first. `storing` alone knows the warehouse; `motion_only` needs no plates; `virtual` makes
recordings of people who don't exist.
"""
