"""The world's error."""

from xai_assets.errors import XaiError


class WorldError(XaiError):
    """A scene that there is not, or a file of the world that is not what it should be."""
