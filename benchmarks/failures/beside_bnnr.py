"""bnnr and this project on the same scenes, model and labels, in one run: what they cost, and what they say.

1,000 test scenes of the embedded world with the object classifier, which is sound, after 5 % of the labels were moved
to the next class. Both answer all scenes, explain some by Grad-CAM and write what they found: bnnr into JSON with
pictures, this project into DuckDB, from image files, with the suspected labels and the places of the evidence. Each is in
a forked process of its own, on one thread, from a parent that holds the scenes. Memory is what it takes beyond that.
"""

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.contender import Cost, measure
from benchmarks.failures.scenes import moved, scenes, shipped
from xai_assets.analysis.evidence_place import evidence_place, evidence_tests
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.images import images
from xai_assets.analysis.loading import load_performance
from xai_assets.analysis.performance import explained_images, model_performance
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.settings import Settings
from xai_assets.study_file import read_study
from xai_assets.vision.allocator import keep_freed_memory
from xai_assets.world.description import describe
from xai_assets.world.render import render
from xai_assets.world.training.batches import MEAN, STD
from xai_assets.world.vocabulary import CLASSES

SHARE, EXPLAINED = 0.05, 60


def rows(count: int = 1000) -> list[dict[str, Any]]:
    """One row a contender."""
    torch.set_num_threads(1)
    examples = scenes("test", count)
    labels, truly = moved(examples.target, SHARE, seed=0)
    shipped("diorama/object")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = study_of(folder, examples.images, labels)
        ours_cost, theirs_cost = (
            measure(lambda: by_us(ours)),
            measure(lambda: by_bnnr(examples.images, labels, folder)),
        )
        return [
            {"contender": "xai_assets", **_cost(ours_cost)} | said_by_us(ours, truly),
            {"contender": "bnnr", **_cost(theirs_cost)}
            | said_by_bnnr(folder, truly & (answers_of(ours) != labels), truly),
        ]


def _cost(of: Cost) -> dict[str, float]:
    return {"processor s": round(of.processor, 1), "wall s": round(of.wall, 1), "MiB": round(of.peak)}


STUDY = """\
title: Scenes of the embedded world with moved labels
attribution:
  model: diorama/object
  layer: layer4
  images: {folder: images, labels: labels.csv}
  truth: {masks: masks}
  methods: {gradcam: {}}
  sample: {failures: 3, successes: matched, random: 20}
  faithfulness: null
  robustness: null
"""


def study_of(folder: Path, images: np.ndarray, labels: np.ndarray) -> Workbench:
    """A study of these images as files, with their labels in a CSV file and the true masks beside them."""
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for at, pixels in enumerate(images):
        Image.fromarray(pixels).save(folder / "images" / f"{at:05}.png")
        mask = render(describe("test", at)).targets[0].mask
        if mask.any():
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{at:05}.png")
    lines = [f"{at:05}.png,{CLASSES[label]}" for at, label in enumerate(labels)]
    (folder / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n", encoding="utf-8")
    (folder / "moved.yaml").write_text(STUDY, encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(folder / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(folder / "moved.yaml"))


def by_us(bench: Workbench) -> None:
    """The steps of the study, from files to tables and the report."""
    keep_freed_memory()
    pictures = images(bench)
    answers = model_performance(bench, pictures)
    load_performance(bench, answers)
    cases = predictions(bench, explained_images(bench, pictures, answers), pictures)
    found = maps(bench, cases, pictures, "gradcam")
    tables = {
        "images": pictures,
        "predictions": cases,
        "maps": found,
        "evidence_place": evidence_place(bench, found, cases),
        "evidence_tests": evidence_tests(bench, found, cases),
    }
    bench.warehouse.replace(bench.study.name, tables)


def said_by_us(bench: Workbench, truly: np.ndarray) -> dict[str, Any]:
    """What the warehouse has."""
    tables = bench.warehouse.read(bench.study.name)
    listed = np.zeros(len(truly), bool)
    listed[tables["suspected_labels"]["image_id"].str.removesuffix(".png").astype(int)] = True
    pairs = tables["confusions"]
    first = pairs[pairs["error_rank"].notna()]
    asked = tables["evidence_tests"].query("question == 'on_object'")["answer"].tolist()
    return {
        "explained": int(tables["maps"]["image_id"].nunique()),
        "moved labels listed": f"{int(listed[truly].sum())} of {int(truly.sum())}",
        "other labels listed": int(listed[~truly].sum()),
        "called confusions": int((first["images"] - first["suspected"]).sum()),
        "of these moved labels": int((truly & ~listed & (answers_of(bench) != labels_of(bench))).sum()),
        "background alarms": int(asked.count("no")),
    }


def by_bnnr(pixels: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """As its documentation has it: a network, a loader and a folder for the report."""
    from bnnr.adapter import SimpleTorchAdapter
    from bnnr.analyze import analyze_model

    network = shipped("diorama/object").network
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in (MEAN, STD))
    given = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - mean) / std  # n h w 3 -> n 3 h w

    class Pairs(torch.utils.data.Dataset):
        classes = CLASSES

        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, at: int) -> tuple[torch.Tensor, int, int]:
            return given[at], int(labels[at]), at

    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    adapter = SimpleTorchAdapter(network, torch.nn.CrossEntropyLoss(), optimiser, device="cpu")
    loader = torch.utils.data.DataLoader(Pairs(), batch_size=64)
    with contextlib.redirect_stdout(io.StringIO()):
        analyze_model(
            adapter,
            loader,
            output_dir=str(folder / "bnnr"),
            device="cpu",
            xai_method="gradcam",
            xai_samples=EXPLAINED,
        )


def answers_of(bench: Workbench) -> np.ndarray:
    """The class that the model answers of each image, n int."""
    return bench.warehouse.read(bench.study.name)["answers"]["predicted_index"].to_numpy(int)


def labels_of(bench: Workbench) -> np.ndarray:
    """The class of each image's label, n int."""
    return bench.warehouse.read(bench.study.name)["answers"]["label_index"].to_numpy(int)


def said_by_bnnr(folder: Path, called: np.ndarray, truly: np.ndarray) -> dict[str, Any]:
    """What its report says: it suspects no label, and each moved one that the model contradicts is a confusion."""
    report = json.loads((folder / "bnnr" / "analysis_report.json").read_text(encoding="utf-8"))
    matrix = np.array(report["confusion"]["matrix"])
    alarms = [one for one in report["findings"] if one["finding_type"] == "background_focus_suspected"]
    return {
        "explained": EXPLAINED,
        "moved labels listed": f"0 of {int(truly.sum())}",
        "other labels listed": 0,
        "called confusions": int(matrix.sum() - np.trace(matrix)),
        "of these moved labels": int(called.sum()),
        "background alarms": sum(len(one["class_ids"]) for one in alarms),
    }
