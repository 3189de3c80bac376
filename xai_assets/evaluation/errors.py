"""The error of this room."""

from xai_assets.errors import XaiError


class EvaluationError(XaiError):
    """Two things that cannot be compared."""
