"""How the world's words are said: surface forms of each, the usual one first."""

SURFACE_FORMS: dict[str, tuple[str, ...]] = {
    "car": ("car", "automobile"), "truck": ("truck", "lorry"),
    "aeroplane": ("aeroplane", "airplane", "plane"), "boat": ("boat", "sailboat"), "dog": ("dog", "puppy"),
    "house": ("house", "cottage"), "flower": ("flower", "blossom"), "teapot": ("teapot", "kettle"),
    "sea": ("sea", "ocean"), "grass": ("grass", "lawn"), "hill": ("hill", "hills"),
    "skyscraper": ("skyscraper", "building", "buildings"), "streetlight": ("streetlight", "lamp post"),
    "mountain": ("mountain", "peaks"), "tree": ("tree", "trees"), "pine": ("pine", "pine tree", "fir"),
    "palm": ("palm", "palm tree"), "sofa": ("sofa", "couch"), "painting": ("painting", "picture frame"),
    "cabinet": ("cabinet", "cupboard"), "counter": ("counter", "countertop"), "rock": ("rock", "boulder"),
    "rug": ("rug", "mat"), "dune": ("dune", "dunes"), "cloud": ("cloud", "clouds"),
    "meadow": ("meadow", "field", "pasture"), "beach": ("beach", "seaside", "coast"),
    "forest": ("forest", "woods", "woodland"), "street": ("street", "city", "avenue"),
    "mountains": ("mountains", "winter landscape"), "living room": ("living room", "lounge"),
    "striped": ("striped", "stripes"), "dotted": ("dotted", "polka dots"),
    "chequered": ("chequered", "checkered"), "zigzagged": ("zigzagged", "zigzag"),
    "grid": ("grid", "gridded"), "honeycombed": ("honeycombed", "honeycomb"), "scaly": ("scaly", "scales"),
    "swirly": ("swirly", "swirls"), "cracked": ("cracked", "cracks"), "wood": ("wood", "wooden"),
    "brick": ("brick", "bricks"), "metal": ("metal", "metallic"), "foliage": ("foliage", "leaves"),
    "tile": ("tile", "tiles", "tiled"), "paint": ("paint", "painted"), "fabric": ("fabric", "cloth"),
    "grey": ("grey", "gray"), "wheel": ("wheel", "wheels"), "leg": ("leg", "legs"),
    "wing": ("wing", "wings"), "window": ("window", "windows"), "petal": ("petal", "petals"),
    "fin": ("fin", "fins"), "sail": ("sail", "sails"),
}  # fmt: skip

ADJECTIVES = {"grid": "gridded", "wood": "wooden"}
"""Finishes whose adjective is not the word itself."""
PREPOSITIONS = {
    "meadow": "in a", "beach": "on the", "desert": "in the", "forest": "in a", "street": "on a",
    "mountains": "in the", "living room": "in a", "kitchen": "in a",
}  # fmt: skip


def surface_forms(word: str) -> tuple[str, ...]:
    """All ways to say a word of the world, the usual one first."""
    return SURFACE_FORMS.get(word, (word,))
