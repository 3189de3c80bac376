"""A whole run of a study with many images, a sample of which is explained: `python -m benchmarks.many_images`.

Scenes of the embedded world are drawn, all are classified, and Grad-CAM explains a sample; tables and the report on the
model's mistakes are made. Then more images are classified alone, to say whether memory grows with their number, and all
images of a study are explained, to say what a map takes of time and disk. Each run is `xai run` in a process and a data
folder of its own; OMP_NUM_THREADS decides how many cores it has.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

STUDY = """\
title: Many images
attribution:
  model: diorama/object
  images: {{diorama: {{singles: {images}, pairs: 0}}}}
  layer: layer4
  methods: {{gradcam: {{}}}}
  sample: {sample}
  faithfulness: null
  robustness: null
reports: [failures]
"""
SAMPLE = "{{failures: 3, successes: matched, random: {random}}}"
EXPLAINED = "+gradcam_masks"
"""What has to be made for all images to have a map."""

EVALUATED = "+performance_tables"
"""What has to be made for all images to be classified and the numbers of the answers to be loaded."""


@dataclass(frozen=True)
class Run:
    """What a run took.

    Attributes:
        seconds: by the clock.
        processor: seconds of all its threads.
        peak_mib: the largest resident memory of the process or of one that it started.
        answers: images that were classified.
        explained: images that have a map.
        files, mib: the artifacts: how many files, and MiB.
    """

    seconds: float
    processor: float
    peak_mib: float
    answers: int
    explained: int
    files: int
    mib: float


def run(images: int, sample: str, only: str | None = None) -> Run:
    """Materialise the study of so many images, or a part of it, from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "studies").mkdir()
        (Path(folder) / "studies" / "many.yaml").write_text(
            STUDY.format(images=images, sample=sample), encoding="utf-8"
        )
        environment = os.environ | {"XAI_DATA": folder, "XAI_DEVICE": "cpu", "DAGSTER_HOME": ""}
        environment["XAI_STUDIES"] = f"{folder}/studies"
        command = [sys.executable, "-m", "xai_assets", "run", "many", *(["--only", only] if only else [])]
        started = time.perf_counter()
        with (Path(folder) / "said").open("w+", encoding="utf-8") as said:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            if status:
                said.seek(0)
                raise SystemExit(said.read()[-2000:])
        artifacts = Path(folder) / "artifacts"
        made = {path.parent.name: pd.read_parquet(path) for path in artifacts.glob("tables/*/many.parquet")}
        sizes = [path.stat().st_size for path in artifacts.glob("*/??/*") if path.is_file()]
    answers = len(made["model_performance"])
    explained = made["gradcam_masks"]["image_id"].nunique() if "gradcam_masks" in made else 0
    processor = used.ru_utime + used.ru_stime
    memory, mib = used.ru_maxrss / 1024, sum(sizes) / 2**20
    return Run(seconds, processor, memory, answers, explained, len(sizes), mib)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_images", description=__doc__)
    parser.add_argument("--images", type=int, default=2000, help="of the study that is explained as well")
    parser.add_argument("--random", type=int, default=20, help="images of the sample that are drawn from all")
    parser.add_argument(
        "--evaluated",
        type=int,
        nargs="*",
        default=[2000, 10_000],
        help="of studies that are classified alone",
    )
    parser.add_argument(
        "--explained", type=int, default=2000, help="of the study that is explained whole; 0: none"
    )
    arguments = parser.parse_args()
    sample = SAMPLE.format(random=arguments.random)
    for images in arguments.evaluated:
        _say(f"{images} classified", run(images, sample, EVALUATED))
    if arguments.images:
        _say(f"{arguments.images} classified, a sample explained", run(arguments.images, sample))
    if arguments.explained:
        _say(f"{arguments.explained} explained", run(arguments.explained, "null", EXPLAINED))


def _say(what: str, found: Run) -> None:
    print(
        f"{what}: {found.answers} answers, {found.explained} images explained, {found.seconds:.0f} s by the clock, "
        f"{found.processor:.0f} s of processor time, at most {found.peak_mib:.0f} MiB of memory, {found.files} files of "
        f"artifacts, {found.mib:.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
