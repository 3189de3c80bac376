"""What a table of the warehouse is declared with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its DuckDB type, what it says, and whether it may be NULL."""

    type: str
    comment: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table: what a row is, its columns after `study`, which every table has, and what no two rows of a study share."""

    comment: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()


def text(comment: str, *, nullable: bool = False) -> Column:
    """Text."""
    return Column("VARCHAR", comment, nullable)


def real(comment: str, *, nullable: bool = False) -> Column:
    """A number."""
    return Column("DOUBLE", comment, nullable)


def whole(comment: str, *, nullable: bool = False) -> Column:
    """A whole number."""
    return Column("BIGINT", comment, nullable)


def flag(comment: str, *, nullable: bool = False) -> Column:
    """True or false."""
    return Column("BOOLEAN", comment, nullable)


CASE = {
    "image_id": text("the image"),
    "target_index": whole("the target class, as the model numbers it"),
    "target_name": text("the target class"),
}
"""Every table about explanations begins with these."""

CONTRAST = {
    "contrast_index": whole("the class that it is held against, an expected one, as the model numbers it"),
    "contrast_name": text("the class that it is held against"),
}
"""Of tables about the difference of two classes, behind CASE: why the one class rather than the other."""

MEAN = {
    "low": real("lower end of the 95 % interval; NULL where there is none", nullable=True),
    "high": real("upper end of the 95 % interval", nullable=True),
    "interval": text("how the interval was made, or why there is none", nullable=True),
    "n": whole("images that were measured; an image's classes are averaged first"),
    "excluded": whole("images that could not be measured"),
}
"""What stands beside a mean over images: see `evaluation.intervals`."""

DECIDED = {
    "p": real("two-sided p of the exact test on images; NULL for fewer than two", nullable=True),
    "p_holm": real("the same, corrected for the family (Holm 1979)", nullable=True),
    "family_size": whole("questions of the family that were tested", nullable=True),
    "fewest": whole(
        "the smallest number of images that could decide a question of such a family", nullable=True
    ),
    "answer": text(
        "yes: above 0, p_holm below 0.05; no: below 0; cannot_tell: neither is shown with n images",
        nullable=True,
    ),
}
"""What stands beside a difference that is tested: see `evaluation.decision`."""
