"""What every checked setting in this room shares."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen, with no unknown entries and no infinities: what a file says is what runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
