"""The words of the world, by Broden's six categories, and the number each has in the label maps."""

SIDE = 128
"""Height and width of every picture, in pixels."""

WORLD_VERSION = 1
"""Enters every seed: raise it when a change of the drawing should give different scenes."""

CATEGORIES = ("object", "part", "scene", "material", "texture", "color")
"""Broden's categories, by Broden's names."""

CLASSES = (
    "bird", "fish", "dog", "butterfly", "car", "truck", "aeroplane", "boat", "house", "flower", "chair",
    "teapot",
)  # fmt: skip
SUPERCLASS = {
    "bird": "animal", "fish": "animal", "dog": "animal", "butterfly": "animal", "car": "vehicle",
    "truck": "vehicle", "aeroplane": "vehicle", "boat": "vehicle", "house": "building", "flower": "plant",
    "chair": "furniture", "teapot": "crockery",
}  # fmt: skip
SURROUNDINGS = (
    "sky", "cloud", "sun", "grass", "hill", "bush", "fence", "sea", "sand", "palm", "dune", "cactus", "rock",
    "tree", "ground", "skyscraper", "road", "pavement", "streetlight", "mountain", "snow", "pine", "wall",
    "floor", "rug", "painting", "sofa", "lamp", "cabinet", "counter", "shelf", "curtain",
)  # fmt: skip
DISTRACTORS = ("ball", "box", "cone", "balloon", "umbrella")
OBJECTS = CLASSES + SURROUNDINGS + DISTRACTORS

PARTS = (
    "head", "body", "beak", "eye", "wing", "tail", "leg", "ear", "fin", "antenna", "wheel", "window",
    "cabin", "chassis", "headlight", "container", "fuselage", "hull", "sail", "mast", "roof", "door",
    "facade", "chimney", "petal", "stem", "leaf", "disc", "seat", "backrest", "handle", "spout", "lid",
    "pot", "trunk", "crown", "peak",
)  # fmt: skip

SCENES = ("meadow", "beach", "desert", "forest", "street", "mountains", "living room", "kitchen")
INDOOR = frozenset({"living room", "kitchen"})

MATERIALS = (
    "wood", "brick", "metal", "stone", "plastic", "foliage", "sand", "water", "snow", "tile", "asphalt",
    "paint", "fabric", "glass",
)  # fmt: skip
TARGET_MATERIALS = ("wood", "brick", "metal", "stone")
"""Materials beside plain plastic that a target may be made of; the rest belong to surroundings."""

TEXTURES = (
    "striped", "dotted", "chequered", "zigzagged", "grid", "honeycombed", "woven", "scaly", "swirly",
    "cracked",
)  # fmt: skip

RGB = {
    "black": (34, 34, 38), "blue": (48, 98, 205), "brown": (122, 80, 46), "green": (62, 148, 66),
    "grey": (134, 136, 140), "orange": (240, 138, 38), "pink": (242, 150, 184), "purple": (128, 68, 166),
    "red": (206, 44, 44), "white": (240, 240, 236), "yellow": (242, 212, 62),
}  # fmt: skip
"""The named colours, sRGB 0..255; a surface varies a little around its name."""
COLOURS = tuple(RGB)

VOCABULARY: dict[str, tuple[str, ...]] = {
    "object": OBJECTS, "part": PARTS, "scene": SCENES, "material": MATERIALS, "texture": TEXTURES,
    "color": COLOURS,
}  # fmt: skip
LABEL: dict[str, dict[str, int]] = {
    category: {word: number for number, word in enumerate(words, start=1)}
    for category, words in VOCABULARY.items()
}
"""Word to number in the label maps, by category; 0 is unlabelled."""
PIXEL_CATEGORIES = ("object", "part", "material", "texture", "color")
"""Categories that label pixels; a scene labels the whole picture."""


def colour_distance(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    """City-block distance of two colours, 0..765."""
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))
