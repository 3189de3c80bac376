"""The asset graph stands still unless somebody means to change it, and loads in a moment."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.orchestration.picture import picture
from xai_assets.build import build_definitions

HEAVY = (
    "cv2",
    "lime",
    "matplotlib",
    "open_clip",
    "pandas",
    "pytorch_grad_cam",
    "skimage",
    "torch",
    "weasyprint",
)
SCIENCE = ("analysis", "attribution", "dissection", "evaluation", "interop", "reporting", "vision", "world")
PICTURE = Path(__file__).with_name("graph.txt")


@pytest.fixture(scope="module")
def definitions():
    return build_definitions()


def test_loading_definitions_imports_nothing_heavy():
    code = f"import xai_assets.definitions, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_graph_is_the_one_that_was_meant(definitions):
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or "-"
        lines.append(f"{node.group_name:12} {key.to_user_string():24} <- {parents}")
        lines += [
            f"{'':12} ? {check.name}" for check in sorted(node.check_keys, key=lambda found: found.name)
        ]
    assert "\n".join(lines) + "\n" == PICTURE.read_text(encoding="utf-8")


def test_the_readme_shows_the_graph_that_is():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{picture()}```" in readme  # python -m tests.orchestration.picture


def test_every_asset_says_what_it_is_where_it_runs_and_which_code_made_it(definitions):
    for key in definitions.resolve_asset_graph().get_all_asset_keys():
        asset = definitions.get_assets_def(key)
        spec = asset.specs_by_key[key]
        assert spec.description, key
        assert spec.code_version, key
        assert spec.kinds, key
        assert asset.op.tags["xai/device"] in ("cuda", "cpu"), key
        assert spec.tags["xai/device"] == asset.op.tags["xai/device"], key
        assert spec.owners == ["team:explainability"], key


def test_an_owner_can_be_named():
    graph = build_definitions(owner="vision@example.org").resolve_asset_graph()
    assert {tuple(graph.get(key).owners) for key in graph.get_all_asset_keys()} == {("vision@example.org",)}


def test_every_asset_that_others_build_on_is_checked(definitions):
    graph = definitions.resolve_asset_graph()
    without = {key.to_user_string() for key in graph.get_all_asset_keys() if not graph.get(key).check_keys}
    assert without == {
        key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).group_name == "reports"
    }
    for key in graph.asset_check_keys:
        spec = graph.get_check_spec(key)
        assert spec.description and len(spec.description) > 30, key


def test_the_job_runs_everything_for_one_study(definitions):
    job = definitions.resolve_job_def("study")
    assert len(job.asset_layer.executable_asset_keys) == len(
        definitions.resolve_asset_graph().get_all_asset_keys()
    )
    assert {"demo", "imagenet-places"} <= set(job.partitions_def.get_partition_keys())


@pytest.mark.parametrize("room", SCIENCE)
def test_the_science_never_imports_dagster(room):
    files = sorted((CHECKOUT / "xai_assets" / room).rglob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "dagster"], file
