"""The layer at which a study explains its model: the one it names, or the network's last layer with positions."""

from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.target_layers import layer_of
from xai_assets.vision.classifiers import Classifier

CHOSEN = "the last layer with positions; the study names none"
"""Said of a layer that no study names."""


def target_layer(bench: Workbench, classifier: Classifier) -> str:
    """The target layer of the CAM methods for a classifier of the study, as a module path.

    Raises:
        AttributionError: the study names none, and the network has no layer with positions.
    """
    return bench.attribution.layer or layer_of(classifier)


def layer_fact(bench: Workbench, classifier: Classifier) -> str:
    """The target layer in a line, for metadata: `target layer bn2 (the last ...)`."""
    chosen = "" if bench.attribution.layer else f" ({CHOSEN})"
    return f"target layer {target_layer(bench, classifier)}{chosen}"
