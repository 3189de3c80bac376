"""What a study may say about CLIP-Dissect: one model a similarity function. No torch here: studies import it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator


class _ClipDissect(BaseModel):
    """What all similarity functions have in common: unknown fields are errors, nothing changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pooling: Literal["avg", "max"] = Field(
        "avg", description="a unit's activation on an image: the mean over its positions, or the largest"
    )
    permutations: int = Field(
        1000,
        ge=99,
        le=100_000,
        description="random orderings of the images that make each layer's null; p is at least 1 / (this + 1), so a lone "
        "unit among u can reach q < 0.05 only with more than 20 u of them",
    )
    memory_mib: int = Field(
        1024, ge=16, description="working memory of the scoring, in MiB; it changes no number"
    )


class SoftWPMI(_ClipDissect):
    """Soft weighted pointwise mutual information: the most activating images, the lower ranks with less weight."""

    similarity: Literal["soft_wpmi"] = Field("soft_wpmi", description="the similarity function's name")
    top_k: int = Field(100, ge=5, description="how many of a unit's most activating images count")
    a: float = Field(
        10.0,
        gt=0,
        description="scale of the cosine inside the softmax; 10 is for CLIP, whose cosines differ by about 0.03; an "
        "encoder that spreads them wider needs less, or the rarest word wins",
    )
    lam: float = Field(1.0, ge=0, description="how much a concept's general frequency is held against it")
    min_prob: float = Field(1e-7, ge=0, lt=1e-3, description="added inside the logarithm")
    p_start: float = Field(
        0.998, gt=0, lt=1, description="how sure it is that the first image shows what the unit stands for"
    )
    p_end: float = Field(
        0.97, gt=0, lt=1, description="the same for the image after the last; linear between"
    )

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.p_end > self.p_start:
            raise ValueError("p_end is not above p_start: an image of lower rank is not surer")
        return self


class WPMI(_ClipDissect):
    """Weighted pointwise mutual information: the most activating images, all with the same weight."""

    similarity: Literal["wpmi"] = Field("wpmi", description="the similarity function's name")
    top_k: int = Field(28, ge=5, description="how many of a unit's most activating images count")
    a: float = Field(2.0, gt=0, description="scale of the cosine inside the softmax")
    lam: float = Field(0.6, ge=0, description="how much a concept's general frequency is held against it")
    min_prob: float = Field(1e-7, gt=0, lt=1e-3, description="added inside the logarithm")


class RankReorder(_ClipDissect):
    """How little the activations of the top images change when the concept's cosines put them in order."""

    similarity: Literal["rank_reorder"] = Field("rank_reorder", description="the similarity function's name")
    p: float = Field(3.0, gt=0, description="power of the difference")
    top_fraction: float = Field(0.05, gt=0, le=1, description="share of the images that count")
    scale_p: float = Field(0.5, ge=0, description="power of the mean cosine that the error is divided by")


class CosSimilarity(_ClipDissect):
    """The cosine between a unit's activations and a concept's similarities, over all images."""

    similarity: Literal["cos_similarity"] = Field(
        "cos_similarity", description="the similarity function's name"
    )


class CosSimilarityCubed(_ClipDissect):
    """The same after each has lost its mean and been raised to the third power, so that the highest values count."""

    similarity: Literal["cos_similarity_cubed"] = Field(
        "cos_similarity_cubed", description="the similarity function's name"
    )
    min_norm: float = Field(1e-3, gt=0, description="shorter vectors are divided by this instead")


def _name(value: Any) -> Any:
    given = value if isinstance(value, dict) else vars(value) if isinstance(value, BaseModel) else {}
    return given.get("similarity", "soft_wpmi")


ClipDissect = Annotated[
    Annotated[SoftWPMI, Tag("soft_wpmi")]
    | Annotated[WPMI, Tag("wpmi")]
    | Annotated[RankReorder, Tag("rank_reorder")]
    | Annotated[CosSimilarity, Tag("cos_similarity")]
    | Annotated[CosSimilarityCubed, Tag("cos_similarity_cubed")],
    Discriminator(
        _name,
        custom_error_type="similarity",
        custom_error_message="similarity is one of soft_wpmi, wpmi, rank_reorder, cos_similarity and "
        "cos_similarity_cubed",
    ),
]
"""The parameters of the similarity function that `similarity` names; soft-WPMI where it names none."""
