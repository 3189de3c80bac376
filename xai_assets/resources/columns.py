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
    "target_index": whole("the explained class, as the model numbers it"),
    "target_name": text("the explained class"),
}
"""Every table about explanations begins with these."""
