"""The tables of what layers and models come to: means with intervals, chance levels and decisions over units."""

from xai_assets.resources.columns import Column, Table, real, text, whole

_LAYER = {"model": text("the dissected model"), "layer": text("the module's path")}
_ENDS = {
    "low": real("lower end of the 95 % interval; NULL where there is none", nullable=True),
    "high": real("upper end of the 95 % interval", nullable=True),
    "interval": text("how the interval was made, or why there is none", nullable=True),
}
_EXCLUDED = {"excluded": whole("units for which it could not be said")}


def _decided(test: str, corrected: str) -> dict[str, Column]:
    return {
        "p": real(f"two-sided p of {test}", nullable=True),
        "p_holm": real(f"the same, corrected over {corrected} (Holm 1979)", nullable=True),
        "family_size": whole("questions of the family that were tested", nullable=True),
    }


_NETWORKS = {"networks": whole("networks with shuffled weights that were looked at")}
_RANK = "share of this network and the shuffled ones that have as many, 1 / (networks + 1) to 1; NULL without these"

CONCEPT_TABLES: dict[str, Table] = {
    "presence_summary": Table(
        "one row a model and layer: how often CLIP-Dissect's words are truly present in the images that drive the units",
        {
            **_LAYER,
            "units": whole("active units whose word the labels can check"),
            "mean": real(
                "mean over these of the share of top images that show the word, 0 to 1", nullable=True
            ),
            **_ENDS,
            "n": whole("different words: units of one word are not independent"),
            **_EXCLUDED,
            "base_rate": real("mean share of all images that show a unit's word", nullable=True),
            "chance": real(
                "the same mean for words that are chosen for images in another order and looked for in these",
                nullable=True,
            ),
            "difference": real("mean over the units that are tested, less chance", nullable=True),
            **_decided("the permutation test", "the model's layers"),
            **_NETWORKS,
            "seen": real("the mean on the images that the shuffled networks were shown", nullable=True),
            "shuffled": real("the mean of the same over the shuffled networks", nullable=True),
            "p_network": real(_RANK, nullable=True),
            "answer": text(
                "yes: above chance and above every shuffled network where there are any; no: below chance; cannot_tell"
            ),
        },
        key=("model", "layer"),
    ),
    "units_beyond_chance": Table(
        "one row a model, layer and method: units whose concept neither other images nor untrained networks explain",
        {
            **_LAYER,
            "method": text("clip_dissect or netdissect"),
            "living": whole("active units"),
            "named": whole("those of them that stand for a concept: detectors, for pixel labels"),
            "beyond_images": whole("those of them with q below 0.05 for images in another order"),
            "beyond": whole("those of them that networks with shuffled weights do not explain either"),
            **_NETWORKS,
            "found_network": whole("units with q_shuffled below 0.05", nullable=True),
            "found_shuffled": whole("the most such units in one of the shuffled networks", nullable=True),
            "p_network": real(_RANK, nullable=True),
            "fewest_networks": whole("shuffled networks that are needed to decide it"),
            "answer": text("yes: there are such units; cannot_tell: none is shown"),
        },
        key=("model", "layer", "method"),
    ),
    "name_agreement": Table(
        "one row a model, and one for all: units to which both methods give the same name",
        {
            "model": text("the dissected model; NULL for all together", nullable=True),
            "agree": whole("units with one name by both methods"),
            "mean": real("their share of the units that both methods name", nullable=True),
            **_ENDS,
            "n": whole("different words: units of one word are not independent"),
            **_EXCLUDED,
            "units": whole("units that both methods name"),
            "chance": real(
                "the share when each layer's words are dealt to its units at random", nullable=True
            ),
            "difference": real("mean less chance", nullable=True),
            **_decided("random dealings", "the models"),
            "answer": text("yes: more often than dealt at random; no: less often; cannot_tell"),
        },
        key=("model",),
    ),
    "category_comparison": Table(
        "one row a method, pair of models and category: the share of the last layers' units, beyond chance only",
        {
            "method": text("clip_dissect or netdissect"),
            "model_a": text("the model that was loaded first"),
            "model_b": text("the other model"),
            "layer_a": text("the first model's last layer"),
            "layer_b": text("the other's"),
            "category": text("the category"),
            "units_a": whole("units of the first model's layer that stand for a concept of it beyond chance"),
            "units_b": whole("the other's"),
            "all_a": whole("all units of the first model's layer"),
            "all_b": whole("all of the other's"),
            "share_a": real("units_a of all_a", nullable=True),
            "low_a": real(
                "lower end of its 95 % interval, over units in clusters of one word", nullable=True
            ),
            "high_a": real("upper end", nullable=True),
            "share_b": real("units_b of all_b", nullable=True),
            "low_b": real(
                "lower end of its 95 % interval, over units in clusters of one word", nullable=True
            ),
            "high_b": real("upper end", nullable=True),
            "difference": real("share_a less share_b", nullable=True),
            **_ENDS,
            "n": whole("words of the category that either model has: the observations of the test"),
            **_EXCLUDED,
            **_decided("the sign-flip test on words", "the categories of the pair and method"),
            "fewest": whole("the smallest number of words that could decide a category of such a family"),
            "answer": text("yes: the first model has the larger share; no: the other has; cannot_tell"),
        },
        key=("method", "model_a", "model_b", "category"),
    ),
}
