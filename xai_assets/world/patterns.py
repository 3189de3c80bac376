"""The formulas of the pattern tiles: float64 (256, 256) in 0..1, periodic.

A texture's 0 takes the first colour and 1 the second; a material's value is its place between its dark and
its light tone.
"""

import math
from collections.abc import Callable

import numpy as np

from xai_assets.world.streams import Stream, snap_array
from xai_assets.world.vocabulary import MATERIALS, TEXTURES, WORLD_VERSION

TILE = 256
_TAU = 2 * math.pi
_Y, _X = np.mgrid[0:TILE, 0:TILE].astype(np.float64)
_NAMES = (*TEXTURES, *MATERIALS, "windows")


def _stream(name: str) -> Stream:
    return Stream(WORLD_VERSION, 7777, _NAMES.index(name))


def _edge(distance: np.ndarray, softness: float = 1.2) -> np.ndarray:
    """1 inside (positive distance), 0 outside, with a soft border of `softness` pixels."""
    return np.clip(snap_array(distance) / softness * 0.5 + 0.5, 0, 1)


def _noise(stream: Stream, waves: float, spread: float = 1.0, stretch: float = 1.0) -> np.ndarray:
    """Periodic noise of about `waves` waves a tile, 0..1 about 0.5; `stretch` > 1 draws it out along x."""
    fy, fx = np.fft.fftfreq(TILE)[:, None], np.fft.fftfreq(TILE)[None]
    frequency = np.sqrt(fy**2 + (stretch * fx) ** 2) * TILE
    octaves = np.log(np.maximum(frequency, 1e-6)) - math.log(waves)
    amplitude = np.where(frequency > 0, np.exp(-(octaves**2) / spread), 0)
    field = np.fft.ifft2(amplitude * np.exp(1j * _TAU * stream.array(TILE, TILE))).real
    return np.clip(snap_array((field - field.mean()) / field.std()) * 0.22 + 0.5, 0, 1)


def _cells(stream: Stream, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voronoi cells of a jittered grid: distance to the nearest point, to the next, nearest's index."""
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)
    points = (grid + 0.15 + 0.7 * stream.array(side * side, 2)) * TILE / side
    nearest, second = np.full((TILE, TILE), 1e9), np.full((TILE, TILE), 1e9)
    index = np.zeros((TILE, TILE), int)
    for number, (px, py) in enumerate(points):
        dx, dy = np.abs(_X - px), np.abs(_Y - py)
        dx, dy = np.minimum(dx, TILE - dx), np.minimum(dy, TILE - dy)
        distance = np.sqrt(dx * dx + dy * dy)
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        index[closer] = number
        nearest = np.where(closer, distance, nearest)
    return nearest, second, index


def _striped() -> np.ndarray:
    return _edge(np.sin(_TAU * _X / 16) * 16 / _TAU)


def _dotted() -> np.ndarray:
    straight = ((_X % 16) - 8) ** 2 + ((_Y % 16) - 8) ** 2
    shifted = (((_X + 8) % 16) - 8) ** 2 + (((_Y + 8) % 16) - 8) ** 2
    return _edge(3.9 - np.sqrt(np.minimum(straight, shifted)))


def _chequered() -> np.ndarray:
    return _edge(np.sin(_TAU * _X * 12 / TILE) * np.sin(_TAU * _Y * 12 / TILE) * 6)


def _zigzagged() -> np.ndarray:
    zigzag = np.abs((_X % (TILE / 12)) - TILE / 24) * 0.95
    return _edge(np.sin(_TAU * (_Y + zigzag) / 16) * 16 / _TAU)


def _grid() -> np.ndarray:
    return _edge(1.5 - np.minimum(np.abs((_X % 16) - 8), np.abs((_Y % 16) - 8)))


def _honeycombed() -> np.ndarray:
    # Both lattice steps divide the tile: 14 cells across, 8 double rows down (nearly regular hexagons).
    step_x, step_y = TILE / 14, TILE / 8
    nearest, second = np.full((TILE, TILE), 1e9), np.full((TILE, TILE), 1e9)
    for ox, oy in ((0.0, 0.0), (step_x / 2, step_y / 2)):
        for sx in (0, 1):
            for sy in (0, 1):
                dx, dy = (_X - ox) % step_x - sx * step_x, (_Y - oy) % step_y - sy * step_y
                distance = np.sqrt(dx * dx + dy * dy)
                second = np.where(distance < nearest, nearest, np.minimum(second, distance))
                nearest = np.minimum(nearest, distance)
    return _edge(1.7 - (second - nearest) * 0.6)


def _woven() -> np.ndarray:
    over = (np.floor(_X / 16) + np.floor(_Y / 16)) % 2
    across, down = np.abs((_Y % 16) - 8) / 8, np.abs((_X % 16) - 8) / 8
    return np.clip(np.where(over > 0, np.minimum(1, 1.15 - across**2 * 0.9), down**2 * 0.9 - 0.1), 0, 1)


def _scaly() -> np.ndarray:
    step = TILE / 12
    row = np.floor(_Y * 24 / TILE)
    x = (_X + (row % 2) * step / 2) % step - step / 2
    y = _Y % (step / 2)
    arc = np.sqrt(x**2 + (y * 1.15 - 0.5) ** 2)
    return np.clip(_edge(1.6 - np.abs(arc - 10.2)) + 0.25 * (y / 10.67), 0, 1)


def _swirly() -> np.ndarray:
    stream = _stream("swirly")
    first, second = _noise(stream, 7, 0.25), _noise(stream, 7, 0.25)
    return _edge(np.sin(_TAU * (first * 3.2 + 2.4 * second)) * 2.2)


def _cracked() -> np.ndarray:
    nearest, second, _ = _cells(_stream("cracked"), 11)
    return _edge(1.5 - (second - nearest) * 0.7)


def _wood() -> np.ndarray:
    stream = _stream("wood")
    grain = np.sin(_TAU * (_Y / 12.8 + 0.7 * _noise(stream, 8, 0.5, 4)))
    planks = np.where((_Y % (TILE / 6)) < 1.8, -0.45, 0.0)
    return np.clip(0.55 + 0.3 * grain + 0.55 * (_noise(stream, 70, 0.3, 8) - 0.5) + planks, 0, 1)


def _brick() -> np.ndarray:
    stream = _stream("brick")
    step = TILE / 12
    row = np.floor(_Y * 24 / TILE).astype(int)
    x = _X + (row % 2) * step / 2
    column = np.floor(x / step).astype(int) % 12
    across, down = x % step, _Y % (step / 2)
    mortar = np.maximum(
        _edge(1.3 - np.minimum(down, step / 2 - down)), _edge(1.3 - np.minimum(across, step - across))
    )
    tone = stream.array(24, 12)[row % 24, column]
    return np.where(mortar > 0.5, 1.0, 0.28 * tone + 0.12 * _noise(stream, 50, 0.4))


def _metal() -> np.ndarray:
    return np.clip(
        0.5 + 0.42 * np.sin(_TAU * (_X + _Y) / 64) ** 3 + 0.25 * (_noise(_stream("metal"), 40, 0.2) - 0.5),
        0,
        1,
    )


def _stone() -> np.ndarray:
    stream = _stream("stone")
    nearest, second, index = _cells(stream, 9)
    tone = 0.25 + 0.5 * stream.array(81)[index]
    return np.clip(tone + 0.3 * (_noise(stream, 45, 0.5) - 0.5) - 0.4 * _edge(1.6 - (second - nearest)), 0, 1)


def _foliage() -> np.ndarray:
    stream = _stream("foliage")
    leaves, specks, clumps = _noise(stream, 34, 0.35), _noise(stream, 60, 0.2), _noise(stream, 8, 0.4)
    return np.clip(0.5 + 0.9 * (leaves - 0.5) + 0.7 * (specks - 0.5) + 0.5 * (clumps - 0.5), 0, 1)


def _sand() -> np.ndarray:
    stream = _stream("sand")
    grains = _noise(stream, 70, 0.2)
    ripples = np.sin(_TAU * (_Y * 12 / TILE + 1.2 * _noise(stream, 4, 0.3)))
    return np.clip(0.5 + 0.9 * (grains - 0.5) + 0.34 * ripples, 0, 1)


def _water() -> np.ndarray:
    waves = np.sin(_TAU * (_Y * 18 / TILE + 1.5 * _noise(_stream("water"), 9, 0.5, 2.2)))
    return np.clip(0.5 + 0.5 * waves, 0, 1) ** 1.6


def _snow() -> np.ndarray:
    stream = _stream("snow")
    drifts, flakes = _noise(stream, 6, 0.5), _noise(stream, 60, 0.2)
    return np.clip(0.72 + 0.6 * (drifts - 0.5) + 0.35 * (flakes - 0.5), 0, 1)


def _tile() -> np.ndarray:
    joint = np.minimum(np.minimum(_X % 32, 32 - _X % 32), np.minimum(_Y % 32, 32 - _Y % 32)) < 1.6
    tone = _stream("tile").array(8, 8)[(_Y / 32).astype(int), (_X / 32).astype(int)]
    return np.where(joint, 0.0, 0.75 + 0.25 * tone)


def _asphalt() -> np.ndarray:
    return np.clip(0.5 + 0.9 * (_noise(_stream("asphalt"), 80, 0.15) - 0.5), 0, 1)


def _paint() -> np.ndarray:
    return np.clip(0.5 + 0.35 * (_noise(_stream("paint"), 4, 0.5) - 0.5), 0, 1)


def _plastic() -> np.ndarray:
    return np.full((TILE, TILE), 0.5)


def _glass() -> np.ndarray:
    return _edge(np.sin(_TAU * (_X + _Y) / 64) * 8 + 2, 4)


def _fabric() -> np.ndarray:
    across, down = np.abs((_X % 8) - 4) / 4, np.abs((_Y % 8) - 4) / 4
    return np.clip(0.3 + 0.35 * across + 0.35 * down + 0.5 * (_noise(_stream("fabric"), 12, 0.3) - 0.5), 0, 1)


def _windows() -> np.ndarray:
    across = np.abs((_X % (TILE / 12)) - TILE / 24) < 5
    down = np.abs((_Y % (TILE / 10)) - TILE / 20) < 7.5
    return (across & down).astype(np.float64)


TEXTURE_PATTERNS: dict[str, Callable[[], np.ndarray]] = {
    "striped": _striped, "dotted": _dotted, "chequered": _chequered, "zigzagged": _zigzagged, "grid": _grid,
    "honeycombed": _honeycombed, "woven": _woven, "scaly": _scaly, "swirly": _swirly, "cracked": _cracked,
}  # fmt: skip
MATERIAL_PATTERNS: dict[str, Callable[[], np.ndarray]] = {
    "wood": _wood, "brick": _brick, "metal": _metal, "stone": _stone, "plastic": _plastic,
    "foliage": _foliage, "sand": _sand, "water": _water, "snow": _snow, "tile": _tile, "asphalt": _asphalt,
    "paint": _paint, "fabric": _fabric, "glass": _glass, "windows": _windows,
}  # fmt: skip
