"""On a real GPU: the CPU's maps and counts, the same bytes twice, and steps that run where their tags say.

`make test-gpu`; not part of `make test`, since it needs the device.
"""

import copy
import dataclasses
import os
import subprocess
import sys

import duckdb
import numpy as np
import pytest
import torch
from skimage import data

from xai_assets.attribution.explain import Explainer
from xai_assets.execution.device import discover
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier

pytestmark = pytest.mark.gpu

LAYER = "layer4"
METHODS = {
    "gradcam": {}, "ablationcam": {}, "scorecam": {}, "hirescam": {}, "gradcampp": {}, "xgradcam": {}, "layercam": {},
    "lime": {"num_samples": 200, "segmentation": "grid"},
}  # fmt: skip
TABLES = "+mask_tables", "+concept_tables"
STUDY = """\
title: "On a GPU and on the CPU"
dissection:
  models: [{model: diorama/object, layers: [layer4]}]
  probe: {diorama: {count: 200}}
  encoder: diorama/clip
  clip_dissect: {a: 0.5}
  concepts: diorama
attribution:
  model: diorama/object
  layer: layer4
  images: {diorama: {singles: 3, pairs: 0}}
  explain: labelled
  methods: {gradcam: {}, ablationcam: {}, scorecam: {}, lime: {segmentation: slic, num_samples: 200}}
"""


@pytest.fixture(scope="module")
def both():
    """The same trained classifier on the CPU and on the GPU."""
    on_cpu = load_classifier("diorama/object", Settings.from_environment(), device="cpu")
    on_gpu = dataclasses.replace(
        on_cpu, network=copy.deepcopy(on_cpu.network).cuda(), device=torch.device("cuda")
    )
    return on_cpu, on_gpu


@pytest.fixture(scope="module")
def picture():
    return np.ascontiguousarray(data.astronaut()[:256, 100:356])


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_the_cpu_s_and_the_same_bytes_twice(both, picture, method):
    on_cpu, on_gpu = (
        Explainer(method, classifier, layer=LAYER, parameters=METHODS[method]) for classifier in both
    )
    wanted, found = on_cpu(picture, 3), on_gpu(picture, 3)
    assert found.values.dtype == np.float32
    if wanted.values.max() > 0:
        assert np.abs(found.scaled() - wanted.scaled()).max() < 1e-3
    assert found.values.tobytes() == on_gpu(picture, 3).values.tobytes()
    again = Explainer(method, both[1], layer=LAYER, parameters=METHODS[method])
    assert found.values.tobytes() == again(picture, 3).values.tobytes()


def xai(folder, *arguments, **more):
    environment = os.environ | {
        "XAI_DATA": str(folder),
        "XAI_LOCKS": str(folder / "locks"),
        "DAGSTER_HOME": "",
    }
    environment.pop("XAI_DEVICES", None)
    return subprocess.run(
        [sys.executable, "-m", "xai_assets", *arguments],
        env=environment | more,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study's tables, made with the GPU and without."""
    folders = {}
    for device, executor in (("cuda", "gpu_tagged"), ("cpu", "in_process")):
        folder = tmp_path_factory.mktemp(device)
        (folder / "studies").mkdir()
        (folder / "studies" / "both.yaml").write_text(STUDY, encoding="utf-8")
        arguments = [part for chosen in TABLES for part in ("--only", chosen)]
        more = {} if device == "cuda" else {"XAI_DEVICE": "cpu"}
        ran = xai(folder, "run", "both", "--executor", executor, *arguments, **more)
        print(device, ran.stdout[-2000:], ran.stderr[-3000:])
        assert ran.returncode == 0
        folders[device] = folder
    return folders


def rows(folder, query):
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.sql(query).df()


def test_the_driver_s_devices_are_found_without_starting_cuda():
    script = (
        "import torch; from xai_assets.execution.device import discover; from xai_assets.settings import Settings; "
        "found = discover(Settings.from_environment()).found; assert found and found[0].id.startswith('GPU-'), found; "
        "assert not torch.cuda.is_initialized(); print(found)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "XAI_DEVICES"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert discover(Settings.from_environment()).found


def test_tagged_steps_run_on_the_gpu(study):
    assert set(rows(study["cuda"], "SELECT DISTINCT device FROM maps").device) == {"cuda"}
    assert set(rows(study["cpu"], "SELECT DISTINCT device FROM maps").device) == {"cpu"}


def test_predictions_and_concepts_are_the_cpu_s(study):
    query = "SELECT * FROM predictions ORDER BY ALL"
    on_gpu, on_cpu = rows(study["cuda"], query), rows(study["cpu"], query)
    assert len(on_gpu) == len(on_cpu) > 0
    numbers = on_cpu.select_dtypes("float").columns.difference(["seconds"])
    assert np.allclose(on_gpu[numbers], on_cpu[numbers], atol=1e-4, equal_nan=True)
    query = "SELECT model, layer, unit, method, concept FROM unit_concepts ORDER BY ALL"
    named = [
        set(map(tuple, rows(study[device], query).itertuples(index=False))) for device in ("cuda", "cpu")
    ]
    assert len(named[0] & named[1]) > 0.99 * len(named[0] | named[1])


def test_overlaps_of_methods_are_the_cpu_s(study):
    query = "SELECT image_id, method_a, method_b, iou FROM mask_agreement ORDER BY ALL"
    on_gpu, on_cpu = rows(study["cuda"], query), rows(study["cpu"], query)
    assert len(on_gpu) == len(on_cpu) > 0
    assert np.abs(on_gpu.iou - on_cpu.iou).median() < 1e-3
    assert np.abs(on_gpu.iou - on_cpu.iou).max() < 0.05
