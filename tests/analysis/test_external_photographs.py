"""Ten photographs with their maps by a real network: figures of maps are refused, the arrays they show are graded."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from xai_assets.analysis.evaluation import mask_agreement
from xai_assets.analysis.explanations import maps, read_map
from xai_assets.analysis.external_maps import external_maps
from xai_assets.analysis.images import images
from xai_assets.analysis.predictions import explained_classifier, predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.settings import Settings
from xai_assets.study_file import read_study
from xai_assets.vision.geometry import whole_frame

STUDY = """\
title: Ten photographs
attribution:
  model: lite/efficientnet-lite0
  layer: bn2
  images: {{folder: {folder}}}
  methods: {methods}
"""


def opened(root, folder, methods):
    (root / "ten.yaml").write_text(STUDY.format(folder=folder, methods=methods), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(root / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(root / "ten.yaml"))


@pytest.fixture(scope="module")
def ten(reference_data, tmp_path_factory):
    """The study with Grad-CAM, its tables, and the folder that external maps are put into."""
    root = tmp_path_factory.mktemp("ten")
    bench = opened(root, reference_data / "images", "{gradcam: {}}")
    pictures = images(bench)
    said = predictions(bench, pictures)
    return root, reference_data / "images", pictures, said, maps(bench, said, pictures, "gradcam"), bench


def graded(ten, methods):
    root, folder, pictures, said, own, _ = ten
    bench = opened(root, folder, methods)
    rows = external_maps(bench, said, pictures)
    return (
        rows,
        bench,
        mask_agreement(bench, pd.concat([own, rows], ignore_index=True)) if len(rows) else None,
    )


def figure(path, picture, values, how):
    """A map as studies show it: a figure in colours, an overlay, or the bare image of a colour map."""
    if how == "bare":
        plt.imsave(path, values, cmap="jet")
        return
    shown, axis = plt.subplots(figsize=(4, 4), dpi=100)
    if how == "overlay":
        axis.imshow(picture)
    axis.imshow(values, cmap="gray" if how == "grey" else "jet", alpha=0.5 if how == "overlay" else 1)
    axis.axis("off")
    shown.savefig(path)
    plt.close(shown)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("colours", "the colours of jet: a rendered heat map, with white margins"),
        ("bare", "the colours of jet: a rendered heat map"),
        ("overlay", "an overlay on a photograph"),
        ("grey", "white margins of"),
    ],
)
def test_the_ten_figures_are_refused_with_the_reason(ten, how, reason):
    root, _, _, _, own, bench = ten
    (root / how).mkdir()
    for row in own.to_dict("records"):
        arrays, _ = bench.store.get("maps", row["artifact"])
        view = np.zeros((*arrays["values"].shape, 3), dtype=np.uint8)
        view[::7, ::5] = 200
        figure(root / how / f"{row['image_id'].removesuffix('.JPEG')}.png", view, arrays["values"], how)
    rows, refused, _ = graded(ten, f"{{gradcam: {{}}, external: {{maps: {how}}}}}")
    assert not len(rows)
    said = [why for _, why in refused.tally.left_out["external maps"]]
    assert len(said) == 10 and all(reason in why for why in said), said


def test_the_same_maps_as_arrays_are_graded_as_our_own(ten):
    root, _, _, said, own, bench = ten
    for name in ("arrays", "originals"):
        (root / name).mkdir()
    views = said.set_index("image_id")["view"]
    for row in own.to_dict("records"):
        found, _ = read_map(bench, row)
        frame = found.frame
        np.save(root / "arrays" / f"{row['image_id']}.npy", found.values)
        whole = whole_frame(*frame.original, frame.original, "native")
        np.save(root / "originals" / f"{row['image_id']}.npy", frame.bring(found.values, whole, outside=0.0))
        assert bench.store.has("views", views[row["image_id"]])
    rows, _, agreement = graded(ten, "{external: {arrays: {maps: arrays}, originals: {maps: originals}}}")
    assert len(rows) == 20
    iou = agreement.set_index(["method_a", "method_b"])["iou"]
    assert (iou["gradcam", "external:arrays"] == 1).all()
    assert (iou["gradcam", "external:originals"] > 0.9).all()  # twice averaged over pixels, never moved


def test_what_users_of_other_tools_save_is_graded(ten):
    """grad-cam's grey maps, captum's layer attribution brought to the input's size, and its attributions by channel."""
    root, folder, _, said, _, bench = ten
    classifier = explained_classifier(bench)
    network = classifier.network
    layer = network.get_submodule("bn2")
    for name in ("grad-cam", "captum", "channels", "coarse"):
        (root / name).mkdir()
    for row in said.head(2).to_dict("records"):
        name, target = row["image_id"].removesuffix(".JPEG"), int(row["target_index"])
        pixels = np.asarray(Image.open(folder / row["image_id"]).convert("RGB"))
        batch = classifier.preprocessing.tensor(pixels)[None].requires_grad_()
        with GradCAM(network, [layer]) as cam:
            np.save(root / "grad-cam" / f"{name}.npy", cam(batch, [ClassifierOutputTarget(target)]))  # 1 h w
        coarse = LayerGradCam(network, layer).attribute(batch, target, relu_attributions=True)
        fine = LayerAttribution.interpolate(coarse, batch.shape[2:], "bilinear")
        np.save(root / "coarse" / f"{name}.npy", coarse.detach().numpy())
        np.save(root / "captum" / f"{name}.npy", fine.detach().numpy())  # 1 1 h w
        whole = IntegratedGradients(network).attribute(batch, target=target, n_steps=2)
        np.save(root / "channels" / f"{name}.npy", whole.detach().numpy())  # 1 3 h w
    rows, bench, agreement = graded(
        ten,
        "{external: {grad-cam: {maps: grad-cam, tool: grad-cam 1.5, layer: bn2}, captum: {maps: captum, layer: bn2}, "
        "channels: {maps: channels, channels: absolute}, coarse: {maps: coarse}}}",
    )
    assert rows["method"].value_counts().to_dict() == {
        "external:grad-cam": 2, "external:captum": 2, "external:channels": 2,
    }  # fmt: skip
    iou = agreement.set_index(["method_a", "method_b"])["iou"]
    assert (iou["gradcam", "external:grad-cam"] > 0.999).all()
    assert (iou["gradcam", "external:captum"] > 0.9).all()
    said_of = dict(bench.tally.left_out["external maps"])
    assert sum("7 x 7 pixels" in why and "the resolution of a layer" in why for why in said_of.values()) == 2
