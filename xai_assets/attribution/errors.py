"""The error of this room."""

from xai_assets.errors import XaiError


class AttributionError(XaiError):
    """A map that cannot be computed as asked."""
