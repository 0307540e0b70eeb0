"""The one exception that is the data's fault."""


class TrialRejected(Exception):
    """A trial (or its session) can't give trustworthy targets; the batch goes on without it.

    `stage` is the step of the chain that refused it (`read_c3d`, `ground_reactions`, `inverse_kinematics`, …).
    `reason` names the file, what was found, what was expected and what to do.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(stage, reason)
        self.stage = stage
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.stage}: {self.reason}"
