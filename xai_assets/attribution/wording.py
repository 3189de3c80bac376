"""How a target is named for people, without torch: "beacon", or "beacon rather than vulture"."""

RATHER = "rather than"
"""Between the names of the two classes of a difference."""


def in_words(name: str, contrast: str | None = None) -> str:
    """A target for people: a class, or the one rather than the other."""
    return name if contrast is None else f"{name} {RATHER} {contrast}"
