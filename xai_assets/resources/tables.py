"""The tables of the warehouse: one declaration each, from which DuckDB's columns, types and comments are made."""

from xai_assets.resources.columns import CASE as _CASE
from xai_assets.resources.columns import CONTRAST as _CONTRAST
from xai_assets.resources.columns import DECIDED as _DECIDED
from xai_assets.resources.columns import MEAN as _MEAN
from xai_assets.resources.columns import Column, Table
from xai_assets.resources.columns import flag as _flag
from xai_assets.resources.columns import real as _real
from xai_assets.resources.columns import text as _text
from xai_assets.resources.columns import whole as _whole
from xai_assets.resources.concept_tables import CONCEPT_TABLES
from xai_assets.resources.metric_tables import METRIC_TABLES
from xai_assets.resources.model_tables import MODEL_TABLES
from xai_assets.resources.performance_tables import PERFORMANCE_TABLES

__all__ = ["TABLES", "Column", "Table"]

_MAP = {
    "method": _text(
        "gradcam, ablationcam, scorecam, hirescam, gradcampp, xgradcam, layercam, eigencam or lime; of maps that "
        "another tool made external, or external: and the set's name"
    ),
    "layer": _text(
        "target layer; NULL for LIME, and of external maps where the study does not say it",
        nullable=True,
    ),
    "policy": _text("binarisation policy; tool: the threshold that a set of external maps comes with"),
    "policy_value": _real(
        "its value: the threshold of fixed, the share of top_area, 0 to 1; NULL of the others",
        nullable=True,
    ),
    "threshold": _real("the threshold that it came to, on the scaled map, 0 to 1", nullable=True),
    "density": _real("share of the frame inside the mask, 0 to 1"),
    "raw_min": _real("smallest value of the raw map"),
    "raw_max": _real("largest value of the raw map"),
    "constant": _flag("the map has one value only and shows nothing"),
    "seed": _whole("the seed"),
    "seconds": _real("wall time of the computation; NULL of external maps", nullable=True),
    "device": _text("cpu or cuda; NULL of external maps", nullable=True),
    "peak_memory_mib": _whole(
        "the most memory that the process had held when the map was made, MiB: its resident set, or what it "
        "had on the GPU where that computed; NULL of maps made before it was kept, and of external ones",
        nullable=True,
    ),
    "samples": _whole(
        "perturbed copies that LIME's surrogate is fitted on; NULL of other methods", nullable=True
    ),
    "stable": _real(
        "of LIME with `num_samples: auto`, how sure it is that the mask is stable, 0 to 1; NULL where it was not asked",
        nullable=True,
    ),
    "artifact": _text("artifact of kind `maps`"),
    "parameters": _text("the method's parameters, JSON"),
    "expected_iou": _real(
        "fast mode of ScoreCAM: the IoU with the mask of the exact map that is to be expected, both at half of the map's "
        "range, 0 to 1; NULL of all others",
        nullable=True,
    ),
    "claimed_iou": _real(
        "fast mode of ScoreCAM: the IoU that it claims at least, a bound that 9 of 10 masks reach "
        "(docs/fast-scorecam.md); NULL of all others",
        nullable=True,
    ),
    "passes": _whole(
        "ScoreCAM: masked copies of the image that were scored; NULL of all others", nullable=True
    ),
}
"""What a row says of a map."""

TABLES: dict[str, Table] = {
    "images": Table(
        "one row an image of the study, the quarantined ones included",
        {
            "image_id": _text("the image"),
            "source": _text("file name, or scene of the embedded world"),
            "width": _whole("pixels", nullable=True),
            "height": _whole("pixels", nullable=True),
            "mode": _text("the file's colour mode before it was converted to RGB", nullable=True),
            "label": _text(
                "the classes it is labelled with, as its source writes them, joined by ';' (a ';' of a name is '\\;')",
                nullable=True,
            ),
            "status": _text("ok or quarantined"),
            "reason": _text("why it was quarantined, and the remedy", nullable=True),
            "sha256": _text("of the file's bytes, or of the rendered pixels", nullable=True),
            "picture": _text("artifact of kind `pictures`: its pixels, and the true masks", nullable=True),
        },
    ),
    "predictions": Table(
        "one row an image and target class",
        {
            **_CASE,
            "target_rank": _whole("1 for the image's first target class"),
            "probability": _real("softmax probability of the target class, 0 to 1"),
            "predicted_index": _whole("the most probable class, as the model numbers it"),
            "predicted_name": _text("the most probable class"),
            "predicted_probability": _real("its softmax probability, 0 to 1"),
            "sure": _flag(
                "whether that is above 0.5: the model gives it more than all other classes together"
            ),
            "label": _text(
                "the classes the image is labelled with, joined by ';': as the model names them, or as the image's label "
                "says where the model has no such class",
                nullable=True,
            ),
            "correct": _flag(
                "whether the predicted class is one of the labels; NULL without a label that the model has",
                nullable=True,
            ),
            "seen": _real("share of the image's area that the model sees, 0 to 1"),
            "preprocessing": _text("how an image becomes the model's input"),
            "input_low": _real("smallest value of the model's input, after normalisation", nullable=True),
            "input_high": _real("largest value of the model's input, after normalisation", nullable=True),
            "domain": _text("how the images, all together, lie to what the model was trained on"),
            "in_domain": _flag(
                "whether they can be of its domain; NULL where that is not known", nullable=True
            ),
            "input_check": _text(
                "ok, or what is unusual about the input: nearly constant, outside the range that the model's "
                "preprocessing makes, or saved as something else than a picture",
                nullable=True,
            ),
            "model": _text("the explained model"),
            "model_sha256": _text("of its weights"),
            "view": _text(
                "artifact of kind `views`: the model's view of the image, and the target's true mask"
            ),
        },
    ),
    "maps": Table(
        "one row an image, target class and method: the attribution map and its mask",
        {**_CASE, **_MAP},
    ),
    "difference_maps": Table(
        "one row an image that is answered wrongly, expected class and method: map of the difference of two logits, "
        "of the predicted class, which is the target here, less that of the expected one, the contrast, with its mask",
        {**_CASE, **_CONTRAST, **_MAP},
        key=("image_id", "target_index", "contrast_index", "method"),
    ),
    "mask_agreement": Table(
        "one row an image, target class and pair of methods",
        {
            **_CASE,
            "method_a": _text("first method"),
            "method_b": _text("second method"),
            "policy": _text("binarisation policy"),
            "iou": _real("intersection over union of the masks, 0 to 1", nullable=True),
            "chance_iou": _real("IoU to expect of independent masks of these densities", nullable=True),
            "attainable_iou": _real("largest IoU that masks of these densities can have", nullable=True),
            "iou_matched": _real(
                "IoU of both maps' highest pixels, as many as the smaller mask has, 0 to 1", nullable=True
            ),
            "chance_iou_matched": _real("IoU to expect of independent masks of that area", nullable=True),
            "dice": _real("Dice coefficient, 0 to 1", nullable=True),
            "density_a": _real("share of the frame inside the first mask"),
            "density_b": _real("share of the frame inside the second mask"),
            "rank_correlation": _real("Spearman correlation of the maps, -1 to 1", nullable=True),
        },
    ),
    "agreement_sweep": Table(
        "one row an image, target class, pair of methods and area: the maps' highest pixels, as many of each",
        {
            **_CASE,
            "method_a": _text("first method"),
            "method_b": _text("second method"),
            "area": _real("share of the frame that each map is cut to, 0 to 1"),
            "iou": _real("intersection over union, 0 to 1"),
            "chance_iou": _real("IoU to expect of independent masks of that area"),
        },
        key=("image_id", "target_index", "method_a", "method_b", "area"),
    ),
    "localization": Table(
        "one row an image, target class, truth, and method or control, against the true mask",
        {
            **_CASE,
            "truth": _text(
                "which true mask: object (the explained object, which every headline is about), part (what decides its "
                "class) or all_objects (every target of the image)"
            ),
            "method": _text("the method, or the control"),
            "is_control": _flag("whether it is a control that looks at no model"),
            "policy": _text(
                "binarisation policy; the mask of the control `ones` is the whole frame, the oracle's the truth"
            ),
            "iou": _real("IoU of the mask with the truth, 0 to 1", nullable=True),
            "chance_iou": _real("IoU to expect of an independent mask of this density", nullable=True),
            "iou_matched": _real("IoU at the truth's own area, 0 to 1", nullable=True),
            "average_precision": _real("pixel average precision, threshold-free, 0 to 1", nullable=True),
            "chance_ap": _real("average precision of a random map: the truth's density", nullable=True),
            "pointing": _real(
                "whether the map's largest value lies in the truth, 0 or 1; of several largest, the share that does",
                nullable=True,
            ),
            "chance_pointing": _real("the truth's density", nullable=True),
            "energy": _real("share of the map's positive mass inside the truth, 0 to 1", nullable=True),
            "chance_energy": _real("the truth's density", nullable=True),
        },
        key=("image_id", "target_index", "truth", "method"),
    ),
    **METRIC_TABLES,
    **PERFORMANCE_TABLES,
    **MODEL_TABLES,
    "counterfactuals": Table(
        "one row a scene of the embedded world, change of its first target, and method or control",
        {
            **_CASE,
            "change": _text(
                "what is changed: part_removed (the part that decides the class), recoloured, retextured, moved, or "
                "background_replaced"
            ),
            "method": _text("the method, or the control"),
            "is_control": _flag("whether it is a control that looks at no model"),
            "probability": _real("softmax probability of the class in the picture as it is"),
            "changed_probability": _real("the same after the change"),
            "fall": _real("the one less the other"),
            "area": _real(
                "share of the frame that the change alters: the energy of a map that knows nothing"
            ),
            "energy": _real(
                "share of the map's positive mass on what the change alters; NULL where the map shows nothing",
                nullable=True,
            ),
        },
        key=("image_id", "target_index", "change", "method"),
    ),
    "explanation_drift": Table(
        "one row a method and measure, or a dissected model and method: this run against the one before",
        {
            "kind": _text("masks, measure, concepts, or first where there is no earlier run"),
            "subject": _text("the attribution method, or the dissected model"),
            "measure": _text("iou of masks, the measure that changed, or the dissection method"),
            "compared": _whole("cases, or units, that both runs have"),
            "same": _whole("of those, the ones that are the same"),
            "appeared": _whole("cases or units of this run only"),
            "gone": _whole("cases or units of the earlier run only"),
            "value": _real("mean IoU, mean change, or share of units with the same concept", nullable=True),
            **{name: column for name, column in _MEAN.items() if name not in ("n", "excluded")},
            "n": _whole("images that both runs have, or units", nullable=True),
            **_DECIDED,
            "drifted": _flag(
                "measure: the answer is yes or no; masks: below the limit; concepts: more units than noise changes"
            ),
            "said": _text("the same in words"),
            "snapshot": _text("artifact of kind `snapshots`: this run"),
            "baseline": _text("the earlier run's", nullable=True),
        },
    ),
    "unit_concepts": Table(
        "one row a model, layer, unit and method: the concept that the method gives the unit",
        {
            "model": _text("the dissected model"),
            "layer": _text("the module's path"),
            "unit": _whole("the unit, counted from 0"),
            "method": _text(
                "clip_dissect or netdissect, computed here; clip_dissect_import, netdissect_import or milan_import"
            ),
            "source": _text("`computed`, or the file that the row was imported from"),
            "concept": _text("the concept it stands for; NULL where the method names none", nullable=True),
            "category": _text("the concept's category", nullable=True),
            "score": _real("how well the concept fits, in the unit of score_name", nullable=True),
            "score_name": _text(
                "what the score is: soft_wpmi (nats), iou (0 to 1), or the file's own similarity",
                nullable=True,
            ),
            "runner_up": _text("the second best concept", nullable=True),
            "gap": _real("score of the best less that of the second", nullable=True),
            "null_mean": _real(
                "mean score of the concept over random orderings of the images", nullable=True
            ),
            "null_std": _real("standard deviation of the same", nullable=True),
            "z": _real("(score - null_mean) / null_std; NULL where null_std is 0", nullable=True),
            "p": _real("permutation p-value of the score", nullable=True),
            "q": _real("false-discovery rate (Benjamini-Hochberg) over the layer's units", nullable=True),
            "p_shuffled": _real(
                "share of the layer's active units in networks with shuffled weights that reach such a score (words: "
                "such a z)",
                nullable=True,
            ),
            "q_shuffled": _real(
                "false-discovery rate of the unit against networks with shuffled weights", nullable=True
            ),
            "beyond_chance": _flag(
                "q below 0.05, and where shuffled networks were looked at, q_shuffled too, in a layer with more such "
                "units than any of these; a detector, for pixel labels. NULL for what was imported",
                nullable=True,
            ),
            "dead": _flag(
                "the unit never fires on the probe set; NULL where a file does not say", nullable=True
            ),
            "detector": _flag(
                "IoU above the study's minimum (imported: above 0.04); NULL for methods without detectors",
                nullable=True,
            ),
            "threshold": _real("the activation above which the unit counts as on", nullable=True),
            "attainable_iou": _real("largest IoU that the label's coverage admits", nullable=True),
            "coverage": _real("share of the labelled pixels that carry the label", nullable=True),
            "max_activation": _real("largest pooled activation on the probe set", nullable=True),
            "top_images": _text(
                "the images that drive it most, joined by ';' (within a name: '\\;')", nullable=True
            ),
            "truth_presence": _real("share of its top images that truly show the concept", nullable=True),
            "chance_presence": _real(
                "mean of the same in the layer for words that are chosen for images in another order",
                nullable=True,
            ),
            "base_rate": _real("share of all probe images that show it", nullable=True),
        },
        key=("model", "layer", "unit", "method"),
    ),
    "layer_summary": Table(
        "one row a model and layer",
        {
            "model": _text("the dissected model"),
            "layer": _text("the module's path"),
            "units": _whole("units"),
            "dead": _whole("units that never fire"),
            "detectors": _whole("units that detect a pixel label", nullable=True),
            "unique_detectors": _whole("different labels that are detected", nullable=True),
            "clip_unique": _whole("different concepts that CLIP-Dissect names"),
            "truth_presence": _real(
                "mean share of top images that truly show the named concept", nullable=True
            ),
            "base_rate": _real("mean share of all images that show a unit's concept", nullable=True),
            "chance_presence": _real(
                "truth_presence of words that are chosen for images in another order", nullable=True
            ),
            "agreement": _real(
                "share of the units for which both methods name the same concept", nullable=True
            ),
        },
    ),
    "category_agreement": Table(
        "one row a model, layer and category: of the units that Network Dissection puts there, how many words agree",
        {
            "model": _text("the dissected model"),
            "layer": _text("the module's path; NULL for all layers together", nullable=True),
            "category": _text("the category of the pixel label that the unit detects"),
            "detectors": _whole("units that detect a label of the category"),
            "named": _whole("those of them that CLIP-Dissect gives a word"),
            "agree": _whole("those of them whose word is the label, spelling apart"),
            "agreement": _real("agree over named, 0 to 1; NULL where none is named", nullable=True),
            "low": _real("lower end of its 95 % interval", nullable=True),
            "high": _real("upper end of its 95 % interval", nullable=True),
            "interval": _text("how the interval was made, or why there is none", nullable=True),
            "n": _whole("different labels: units of one label are not independent"),
            "excluded": _whole("units for which it could not be said"),
        },
        key=("model", "layer", "category"),
    ),
    **CONCEPT_TABLES,
    "probe_health": Table(
        "one row a finding about the probe set, the encoder and the concept list",
        {
            "key": _text("what was looked at"),
            "value": _text("what was found"),
            "level": _text("ok or warn"),
        },
    ),
}
