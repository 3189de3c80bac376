"""Model cards: what a shipped weight file was made of, what it reaches, and what it is not for."""

from collections.abc import Iterable, Mapping
from typing import Any

from xai_assets.world.training.classifier_task import ClassifierTask
from xai_assets.world.training.evaluate import SOFTMAX_SCALE
from xai_assets.world.training.examples import FINISHES, HELD_OUT
from xai_assets.world.training.recipe import Recipe
from xai_assets.world.vocabulary import CLASSES, COLOURS, SCENES

_LIMITS = """## Intended use and limits
For trying explanation methods where the truth is known: every picture of Diorama comes with exact labels. The
pictures are drawn by a program. What holds here tells about methods; it tells nothing about photographs, and the
network is of no use on them. Pictures of another size are squashed to 128 by 128 pixels first; very thin or very
small objects then vanish."""


def classifier_card(task: ClassifierTask, report: Mapping[str, Any], recipe: Recipe) -> str:
    """The card of a classifier in Markdown, with the numbers of `measure_classifier` and `cpu_seconds`, `steps`."""
    learned = f"{recipe.scenes['train']:,} scenes of the split `train`"
    if task.close_views:
        learned += f" and {recipe.scenes['close']:,} close views of the split `close`, from easy to hard"
    rows = _table(
        ("class", "accuracy"), ((name, f"{share:.3f}") for name, share in _but_all(report["accuracy"]))
    )
    return f"""# Diorama's {task.name} classifier (`{task.name}.safetensors`)

A ResNet with one BasicBlock a stage and 32 channels in the first (`diorama/resnet10`, torchvision's names of
layers), last stage at stride 1: 128 by 128 pixels give an 8 by 8 map at `layer4`. Half precision,
{report["bytes"]:,} bytes. It tells {len(task.class_names)} {task.name}s: {", ".join(task.class_names)}.

## Training
{learned}, rendered by this project, of seeds that no other split shares. {report["steps"]:,} batches of 64, AdamW,
one-cycle learning rate, mirrored, shifted by up to 10 pixels, light varied by a fifth, smoothed labels, bfloat16
autocast; the shipped weights are the exponential average. {report["cpu_seconds"]:,.0f} CPU-seconds on one core.
Again from nothing: `xai world train`.

## Accuracy on {report["scenes"]:,} fresh scenes of the split `test`
**{report["accuracy"]["all"]:.4f}** over all; chance is {1 / len(task.class_names):.3f}.

{rows}

{_LIMITS}
"""


def encoder_card(report: Mapping[str, Any], recipe: Recipe) -> str:
    """The card of the image-text encoder in Markdown, with the numbers of `measure_encoder` and `cpu_seconds`."""
    names = {"scene": SCENES, "finish": FINISHES, "colour": COLOURS}
    pairs = ", ".join(f"{CLASSES[target]} and {names[kind][value]}" for kind, target, value in HELD_OUT)
    categories = _table(
        ("category", "concepts", "mean AUC", "lowest"),
        (
            (name, str(len(report["auc"][name])), f"{mean:.3f}", _lowest(report["auc"][name]))
            for name, mean in report["category_auc"].items()
        ),
    )
    layers = _table(
        (
            "layer",
            "units",
            "word in most top pictures",
            "mean presence",
            "base rate",
            "chance",
            "words that name nothing",
        ),
        (
            (
                layer,
                str(found["units"]),
                *(f"{found[key]:.3f}" for key in ("majority", "mean", "base_rate", "chance", "absent")),
            )
            for layer, found in report.items()
            if layer.startswith("layer")
        ),
    )
    scenes = recipe.scenes
    return f"""# Diorama's image-text encoder (`clip/`)

An open_clip model in a local folder, loaded offline by `open_clip.create_model_and_transforms("local-dir:...")`:
a ModifiedResNet with one block a stage and 24 channels in the first, a text transformer of two layers of 128, an
embedding of 128, and a vocabulary of the merges of CLIP's own table that the world's words need. Half precision,
{report["bytes"]:,} bytes with vocabulary and configuration.

## Training
On {scenes["train"]:,} scenes, {scenes["close"]:,} close views and {scenes["swatch"]:,} surfaces rendered by this
project. First the image tower alone, {recipe.image_steps:,} batches of 64: its unit-length embedding learns, by
its cosines with one direction a word, which words are true of a picture (exact labels of objects, parts, scenes,
materials, textures and colours). Then, with the image tower locked, the text tower, {recipe.text_steps:,} batches:
every surface form, phrase and caption onto the direction of what it says, captions contrasted with pictures, and
tens of thousands of English words that name nothing in the world onto one direction that no picture is near.
{report["cpu_seconds"]:,.0f} CPU-seconds on one core. Again from nothing: `xai world train`.

## Zero-shot on {report["scenes"]:,} fresh scenes of the split `test`, prompt "a photo of ..."
| | accuracy | chance |
|---|---|---|
| object, 12 classes | **{report["object"]["all"]:.4f}** | {1 / len(CLASSES):.3f} |
| scene, 8 scenes | **{report["scene"]["all"]:.4f}** | {1 / len(SCENES):.3f} |
| object, on {report["held_out"]["scenes"]:.0f} scenes with a held-out pairing | {report["held_out"]["object"]:.4f} | |
| scene, on the same | {report["held_out"]["scene"]:.4f} | |

Pairings kept from training: {pairs}.

By class: {_listed(_but_all(report["object"]))}.
By scene: {_listed(_but_all(report["scene"]))}.

Area under the ROC curve of the cosine with a word for the word's presence in the picture (0.5 is chance); present
is what covers as many pixels as a caption needs to say it. Over all part, material, texture and colour concepts
**{report["mean_auc"]:.3f}**.

{categories}

Mean cosine with words that are true of a picture {report["cosine_present"]:.3f}, with the others
{report["cosine_absent"]:.3f}.

## What it is for: words for the object classifier's units
CLIP-Dissect (soft-WPMI, top_k 100, lambda 1, a {SOFTMAX_SCALE}) over {report.get("probe_scenes", 0):,} scenes of
the split `probe`, with all the world's words and the absent words of `xai_assets.world.concepts`; a unit's top
pictures are the 20 that drive it most. The published a = 10 suits CLIP, whose cosines with a list of words differ by
about 0.03; these differ by about 0.2, and with 10 the word that is told worst wins: with this encoder, set `a`.

{layers}

The word is chosen by these same pictures. Base rate: how often it is in any picture; chance: how often words are
present that are chosen for the pictures in another order and looked for in these.

{_LIMITS}
The text tower knows the world's words and little else: what it has not learned lies, as a rule, with the words
that name nothing. Presence is told better for what is large; small patches of a colour or texture are often missed.
"""


def _but_all(shares: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    return ((name, share) for name, share in shares.items() if name != "all")


def _listed(shares: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {share:.3f}" for name, share in shares)


def _lowest(found: Mapping[str, float]) -> str:
    word = min(found, key=lambda name: found[name]) if found else ""
    return f"{word} {found[word]:.3f}" if word else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
