"""What a study may say about its measures of faithfulness and robustness. No torch here: studies import it."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MATTERS = 0.1
"""How far the probability falls at a change of the picture that the answer hangs on; less counts for nothing."""

Share = Annotated[float, Field(gt=0, lt=1)]


class _Parameters(BaseModel):
    """Unknown fields are errors, and nothing changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Budget = Annotated[float, Field(gt=0, allow_inf_nan=False)] | None


class Faithfulness(_Parameters):
    """Does the score follow the map as pixels are taken away? The defaults are coarse, for a quick first run."""

    steps: int = Field(
        6,
        ge=2,
        le=1000,
        description="equal parts in which the pixels of a curve go, 4 (steps - 1) pictures a map",
    )
    road: tuple[Share, ...] = Field(
        (0.3, 0.7),
        description="shares of the pixels that ROAD removes, rising, two pictures each; none: ROAD is left out",
    )

    budget: Budget = Field(
        None,
        description="seconds of computing: no image is begun that would not be done by then, and the report says which "
        "were left out; what was measured is kept, and the next run goes on; null: no limit",
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.road) == 1 or any(b <= a for a, b in zip(self.road, self.road[1:], strict=False)):
            raise ValueError("road takes at least two shares, rising, or none")
        return self


class Robustness(_Parameters):
    """Does a map stay where nothing changed that matters, and change where all that matters is gone?

    The defaults are for a first look: four cases, and of each measure the least that makes one.
    """

    cases: int = Field(
        4,
        ge=1,
        description="image and class pairs, evenly spaced, that are looked at: each costs a method "
        "`samples` + `stages` maps, and LIME `seeds` more",
    )
    radius: int = Field(
        4,
        ge=1,
        le=64,
        description="max-sensitivity: the most by which noise changes a pixel's channel, in levels of 255",
    )
    samples: int = Field(
        1,
        ge=0,
        le=1000,
        description="max-sensitivity: noisy copies of a view, of which the largest change counts; 0: none",
    )
    seeds: int = Field(
        2, ge=0, le=1000, description="LIME's stability: runs with other seeds, its own included; 0: none"
    )
    features: int = Field(
        5, ge=1, le=1000, description="LIME's stability: superpixels of largest weight that have to recur"
    )
    stages: int = Field(
        2,
        ge=0,
        le=100,
        description="model randomisation: how many networks, from only the last layer randomised to all; 0: none",
    )
    scorecam: Literal["fast", "study"] = Field(
        "fast",
        description="how ScoreCAM's maps are made again: fast: in fast mode, and so is the map that they are compared "
        "with; study: as the study's own maps, for an exact one with a forward pass for each channel of each map",
    )
    veto_above: float = Field(
        0.5,
        ge=-1,
        le=1,
        description="model randomisation: a method is vetoed whose maps of the wholly randomised network have a mean "
        "rank correlation above this with those of the trained one",
    )

    budget: Budget = Field(
        None,
        description="seconds of computing, cheap methods first: no map's measures are begun that would not be done by "
        "then, and the report says which were left out; null: no limit",
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if self.seeds == 1:
            raise ValueError("seeds takes at least two runs, which can be compared, or none")
        if self.stages == 1:
            raise ValueError("stages takes at least two, the last layer and the whole network, or none")
        return self
