"""Surfaces: a finish in one or two named colours, laid over the picture plane."""

from dataclasses import dataclass

import numpy as np

from xai_assets.world.streams import Stream, cos, sin
from xai_assets.world.tiles import TILE, fine_tile
from xai_assets.world.vocabulary import LABEL, RGB, TEXTURES

# Darkest and lightest tone of a material around its base colour.
_TONES = {
    "wood": (0.66, 1.12), "metal": (0.62, 1.5), "stone": (0.55, 1.2), "plastic": (1.0, 1.0),
    "foliage": (0.6, 1.3), "sand": (0.82, 1.1), "water": (0.78, 1.35), "snow": (0.82, 1.06),
    "tile": (0.6, 1.08), "asphalt": (0.72, 1.3), "paint": (0.93, 1.05), "fabric": (0.75, 1.12),
    "glass": (0.8, 1.5),
}  # fmt: skip
_MORTAR = (206.0, 200.0, 190.0)
_POSITION = np.arange(256)[:, None] / 255.0
_TWO_COLOURED = frozenset({*TEXTURES, "windows"})


@dataclass(frozen=True)
class Finish:
    """What a part of a target is made of.

    Attributes:
        name: a texture (two colours) or a material (one colour).
        color: the first colour's name.
        second: the second colour's name; kept where the finish has one colour, so that it can be retextured.
        angle: direction of the pattern, radians.
        seed: fixes the pattern's scale and phase and the colours' small variation, and nothing else.
    """

    name: str
    color: str
    second: str
    angle: float
    seed: int


class Surface:
    """A finish with every number decided: look-up tables over the tile's 256 values and a fixed-point map."""

    __slots__ = (
        "_colour_labels",
        "_matrix",
        "_rgb",
        "_table",
        "color",
        "finish",
        "material",
        "second",
        "texture",
    )

    def __init__(
        self,
        stream: Stream,
        finish: str,
        color: str,
        second: str | None = None,
        *,
        scale: float | None = None,
        angle: float | None = None,
        rgb: tuple[float, float, float] | None = None,
        jitter: float = 14.0,
    ) -> None:
        """Draw the surface's numbers from `stream`.

        They are ten whatever the finish, so that a change of finish moves nothing else.

        Args:
            stream: random numbers.
            finish: a texture, a material, or "windows" (a wall of windows in two colours).
            color: first colour's name.
            second: second colour's name, for a texture.
            scale: tile pixels per picture pixel.
            angle: direction of the pattern in radians.
            rgb: a shade to use for the first colour instead of its standard one.
            jitter: largest change of each channel of either colour.
        """
        self.finish, self.color, self.second = finish, color, second or color
        first = tuple(v + stream(-jitter, jitter) for v in (rgb or RGB[color]))
        other = tuple(v + stream(-jitter, jitter) for v in RGB[self.second])
        size, turn, x, y = stream(), stream(0, 3.141592653589793), stream(0, TILE), stream(0, TILE)
        low, high = (1.0, 1.7) if finish in TEXTURES else (1.5, 2.4)
        scale = low + (high - low) * size if scale is None else scale
        angle = turn if angle is None else angle
        c, s = cos(angle) * scale, sin(angle) * scale
        self._matrix = tuple(round(v * 65536) for v in (c, -s, x, s, c, y))
        self._rgb = (first, other)
        self._table: np.ndarray | None = None
        self._colour_labels: np.ndarray | None = None
        self.texture = LABEL["texture"].get(finish, 0)
        self.material = LABEL["material"].get(finish, 0)

    @classmethod
    def of(cls, finish: Finish) -> "Surface":
        """The surface of a target's finish."""
        return cls(Stream(finish.seed), finish.name, finish.color, finish.second, angle=finish.angle)

    @property
    def two_coloured(self) -> bool:
        """Whether the tile's light values take the second colour."""
        return self.finish in _TWO_COLOURED

    @property
    def plain(self) -> bool:
        """Whether every pixel has the same colour."""
        return self.finish == "plastic"

    @property
    def mean(self) -> tuple[int, int, int]:
        """The colour seen from afar."""
        first, other = self._rgb
        mixed = [(a + b) / 2 if self.two_coloured else a for a, b in zip(first, other, strict=True)]
        r, g, b = (min(max(int(v), 0), 255) for v in mixed)
        return r, g, b

    @property
    def table(self) -> np.ndarray:
        """Tile value to colour, uint8 (256, 3)."""
        if self._table is None:
            first, other = (np.array(v) for v in self._rgb)
            if self.two_coloured:
                table = first + (other - first) * _POSITION
            elif self.finish == "brick":
                table = np.where(_POSITION > 0.55, np.array(_MORTAR), first * (0.75 + _POSITION))
            else:
                low, high = _TONES[self.finish]
                table = first * (low + (high - low) * _POSITION)
                if high > 1.3:  # shiny: a highlight that does not depend on the colour
                    table = table + 40 * np.maximum(_POSITION - 0.6, 0)
            self._table = np.clip(table, 0, 255).astype(np.uint8)
        return self._table

    @property
    def colour_labels(self) -> np.ndarray:
        """Tile value to colour label, uint8 (256,)."""
        if self._colour_labels is None:
            labels = np.full(256, LABEL["color"][self.color], np.uint8)
            if self.two_coloured:
                labels[128:] = LABEL["color"][self.second]
            self._colour_labels = labels
        return self._colour_labels

    def sample(self, left: int, top: int, width: int, height: int) -> np.ndarray:
        """The tile's values under a box of the picture, uint8 (height, width).

        The place in the tile is computed in fixed point (16 bits after the point) and read from a tile that
        was interpolated to quarter pixels beforehand, so that only integers decide a pixel.
        """
        a, b, tx, c, d, ty = self._matrix
        xs = np.arange(left, left + width, dtype=np.int32)
        ys = np.arange(top, top + height, dtype=np.int32)[:, None]
        u = (a * xs + (b * ys + tx)) >> 14  # h w, quarter tile pixels
        v = (c * xs + (d * ys + ty)) >> 14
        side = 4 * TILE
        return fine_tile(self.finish).take((u & (side - 1)) + ((v & (side - 1)) * side))
