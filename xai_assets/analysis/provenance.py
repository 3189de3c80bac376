"""What a report was made from and by: enough to make it again, and to see afterwards that something was another."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import ExternalParameters
from xai_assets.files import fingerprint, sha256_bytes, sha256_file
from xai_assets.settings import CHECKOUT, in_checkout

VERSIONS = (
    "xai-assets", "torch", "torchvision", "timm", "open-clip-torch", "grad-cam", "lime", "scikit-image", "numpy",
    "pandas", "duckdb", "dagster", "weasyprint",
)  # fmt: skip

Facts = dict[str, dict[str, str]]


def provenance(bench: Workbench, maps: pd.DataFrame, run: Mapping[str, str]) -> Facts:
    """Groups of facts, as `StudyResults.study["lineage"]` has them; a group without facts is left out.

    Args:
        bench: of the study.
        maps: the table; its maps know on which device they were made.
        run: what the orchestrator knows of the run, by name.
    """
    groups: Facts = {
        "Code": _code(),
        "Study": {"file": bench.file.path.name, "sha256": sha256_bytes(bench.file.data)},
        "Weights": _weights(bench),
        "Pictures and words": _inputs(bench),
        "Run": dict(run),
        "Machine": _machine(maps),
        "Versions": {name: version(name) for name in VERSIONS} | {"python": platform.python_version()},
    }
    return {name: facts for name, facts in groups.items() if facts}


def _code() -> dict[str, str]:
    """The commit, whether the tree differs from it, and the lock's hash; a wheel has its version only."""
    if not in_checkout():
        return {"xai-assets": f"wheel {version('xai-assets')}"}
    facts = {"lock": f"sha256 {sha256_file(CHECKOUT / 'uv.lock')}"}
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return facts | {"commit": "not known: no git repository"}
    changed = _git("status", "--porcelain")
    differing = len((changed or "").splitlines())
    tree = f"{differing or 'no'} file{'' if differing == 1 else 's'} of it changed"
    return facts | {"commit": commit, "checkout": tree}


def _machine(maps: pd.DataFrame) -> dict[str, str]:
    facts = {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": f"OMP_NUM_THREADS {threads}"
        if (threads := os.environ.get("OMP_NUM_THREADS"))
        else "one a core",
        "batch sizes": "as usual; a step that runs out of memory halves them, which changes numbers by up to 1e-6",
    }
    devices = sorted(set(maps["device"].dropna())) if len(maps) else []
    return facts | ({"maps computed on": ", ".join(devices)} if devices else {})


def _processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # no Linux: the platform may know
    return platform.processor() or "not known"


def _git(*arguments: str) -> str | None:
    """What git says of the checkout; None where there is no git or no repository."""
    git = shutil.which("git")
    if git is None or not (CHECKOUT / ".git").exists():
        return None
    asked = subprocess.run([git, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None


def _weights(bench: Workbench) -> dict[str, str]:
    found = {}
    for table, name, of in (
        ("unit_activations", "model", "model_sha256"),
        ("concept_embeddings", "encoder", "encoder_sha256"),
        ("predictions", "model", "model_sha256"),
        ("answers_by_model", "model", "model_sha256"),
    ):
        for row in _table(bench, table).to_dict("records"):
            found[row[name]] = f"sha256 {row[of]}"
    return found


def _inputs(bench: Workbench) -> dict[str, str]:
    found = {}
    images = _table(bench, "images")
    if len(images):
        hashes = images[["image_id", "sha256"]].fillna("").values.tolist()
        found["explained images"] = f"{len(images)}; hash of all {fingerprint(hashes)}"
    if len(external := _table(bench, "external_masks")):
        for method, rows in external.groupby("method", sort=False):
            given = bench.attribution.methods.external_sets().get(str(method))
            said = [f"{len(rows)}; hash of all {fingerprint(sorted(rows['artifact']))}"]
            said += [f"{what} {value}" for what, value in _of_set(given) if value is not None]
            found[f"maps of {method}"] = ", ".join(said)
    for row in _table(bench, "probe_set").to_dict("records"):
        found["probe set"] = f"{row['images']} images; hash of all {row['sha256']}"
    for row in _table(bench, "concept_embeddings").to_dict("records"):
        words = bench.store.get("embeddings", row["artifact"])[1]["words"]
        found["concept list"] = f"{row['concepts']} words; hash of all {fingerprint(words)}"
    return found


def _of_set(given: ExternalParameters | None) -> list[tuple[str, object]]:
    if given is None:
        return []
    return [("made by", given.tool), ("layer", given.layer), ("threshold", given.threshold)]


def _table(bench: Workbench, asset: str) -> pd.DataFrame:
    """An asset's table; empty where the study has none."""
    return bench.table(asset) if bench.has_table(asset) else pd.DataFrame()
