"""What may go: only what this product wrote, no study needs, nobody has used for long, and can be made again."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from safetensors.numpy import save_file

from xai_assets.analysis.pruning import SECONDS_A_DAY, remove, stale
from xai_assets.cli import cli
from xai_assets.errors import XaiError
from xai_assets.files import sha256_bytes, write_with
from xai_assets.resources import written
from xai_assets.resources.block_file import Same, member
from xai_assets.resources.frames import write_table
from xai_assets.resources.store import ArtifactStore
from xai_assets.settings import Settings

STUDY = """\
title: Mine
attribution:
  model: diorama/object
  images: {diorama: {}}
  methods: {gradcam: {}, hirescam: {}}
reports: [cam]
"""
NAMED, THROUGH, LOOSE, USED, OF_GONE, OLDER = (letter * 32 for letter in "abcdef")
RUN = "621e9781-3ccc-49ce-b543-a1dcc482a7dd"


def _write(root, name, content=b"x"):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    written.record(root, {path: sha256_bytes(content)})
    return path


def _age(folder, days=40):
    then = time.time() - days * SECONDS_A_DAY
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (then, then), follow_symlinks=False)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder in which everything is 40 days old: one study of two is left."""
    for name in ("XAI_ARTIFACTS", "XAI_REPORTS", "XAI_WAREHOUSE", "XAI_STUDIES", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    store = ArtifactStore(tmp_path / "artifacts")
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(STUDY, encoding="utf-8")
    keys = [(NAMED, {"chunks": [THROUGH]}), (THROUGH, {}), (LOOSE, {}), (USED, {}), (OF_GONE, {})]
    for key, meta in keys:
        store.put("maps", key, {"values": np.zeros(2, np.float32)}, meta)
    older = store.path("maps", OLDER)
    older.parent.mkdir(parents=True)
    save_file({"values": np.zeros(2, np.float32)}, older, metadata={"meta": "{}"})
    served = tmp_path / "dagster" / "storage"
    for study, key in [("mine", NAMED), ("gone", OF_GONE)]:
        write_table(store.root, "gradcam_masks", study, pd.DataFrame({"artifact": [key], "n": [1]}))
        for suffix in ("pdf", "html", "json"):
            _write(tmp_path / "reports", f"{study}/cam.{suffix}")
        _write(served, f"reports/{study}/cam.pdf")
    for name in ("reports/mine/cam.json", "reports/mine/lime.pdf"):
        _write(served, name)
    for method in ("gradcam_masks", "further_cam_masks", "lime_masks", "mask_agreement", "faithfulness"):
        _write(served, f"pictures/mine/{method}.png")
    (served / "reports" / "mine" / ".cam.pdf.x1234567.part").write_bytes(b"x")
    logs = served / RUN / "compute_logs"
    logs.mkdir(parents=True)
    (logs / "step.err").write_text("said", encoding="utf-8")
    (logs / "mine.txt").write_text("not Dagster's", encoding="utf-8")
    (store.path("maps", LOOSE).parent / f".{LOOSE}.safetensors.abcdefgh.part").write_bytes(b"half")
    _age(tmp_path)
    assert store.has("maps", USED)
    return tmp_path


GOES = {
    f"artifacts/maps/cc/{LOOSE}.safetensors",
    f"artifacts/maps/ff/{OLDER}.safetensors",
    f"artifacts/maps/cc/.{LOOSE}.safetensors.abcdefgh.part",
    "dagster/storage/reports/mine/lime.pdf",
    "dagster/storage/reports/mine/.cam.pdf.x1234567.part",
    "dagster/storage/pictures/mine/lime_masks.png",
    f"dagster/storage/{RUN}/compute_logs/step.err",
}
OF_GONE_STUDY = {
    "artifacts/tables/gradcam_masks/gone.parquet",
    "reports/gone/cam.pdf",
    "reports/gone/cam.html",
    "reports/gone/cam.json",
    "dagster/storage/reports/gone/cam.pdf",
}


def found(data, **options):
    settings = Settings.from_environment({"XAI_DATA": str(data)})
    return stale(settings, data / "dagster" / "storage", **options)


def names(data, items):
    return {str(item.path.relative_to(data)) for item in items}


def files(folder):
    return {path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")}


def run(*arguments):
    return CliRunner().invoke(cli, ["prune", *arguments])


def test_what_no_study_needs_and_nobody_used_may_go(data):
    look = found(data, days=30)
    assert names(data, look.stale) == GOES
    assert names(data, look.waiting) == OF_GONE_STUDY
    assert look.foreign == []


def test_what_is_young_stays(data):
    look = found(data, days=50)
    assert {name for name in names(data, look.stale) if not name.endswith(".part")} == set()
    assert look.waiting == look.foreign == []


def test_a_write_in_progress_stays_and_one_whose_process_is_gone_goes_at_once(data):
    path = data / "artifacts" / "maps" / "cc" / f"{LOOSE}.safetensors"

    def slow(file):
        look = found(data, days=50)
        assert not [item for item in look.stale if item.path.name.endswith(".part")]
        file.write(b"x")

    gone = {name for name in names(data, found(data, days=50).stale) if name.endswith(".part")}
    assert gone == {name for name in GOES if name.endswith(".part")}
    for name in gone:
        (data / name).unlink()
    write_with(path, slow)


@pytest.mark.parametrize("asked", [["--yes"], ["--study", "gone"]])
def test_what_belongs_to_a_study_that_is_gone_goes_only_when_asked(data, asked):
    assert "--yes removes it" in run().output
    assert (data / "reports" / "gone" / "cam.pdf").is_file()
    ran = run(*asked)
    assert ran.exit_code == 0, ran.output
    assert not (data / "reports" / "gone").exists()
    assert not [name for name in OF_GONE_STUDY if (data / name).exists()]
    assert not (data / "artifacts" / "maps" / "ee").exists()  # only its table named it
    assert (data / "reports" / "mine" / "cam.pdf").is_file()


@pytest.mark.parametrize(("name", "why"), [("mine", "its file is there"), ("other", "no results of it")])
def test_a_study_that_is_not_gone_cannot_be_named(data, name, why):
    ran = run("--study", name)
    assert isinstance(ran.exception, XaiError) or why in ran.output
    assert (data / "reports" / "gone" / "cam.pdf").is_file()


def test_a_dry_run_keeps_everything_and_a_real_one_removes_it_once(data):
    before = files(data)
    dry = json.loads(run("--dry-run", "--json").output)
    assert (dry["removed"], len(dry["files"]), len(dry["waiting"])) == (False, len(GOES), len(OF_GONE_STUDY))
    assert files(data) == before
    assert "removed, neither made nor used in 30 days" in run().output
    assert files(data) == before - {data / name for name in GOES}
    assert json.loads(run("--json").output)["files"] == []


def test_a_file_that_many_artifacts_share_stays_while_one_of_them_is_named(data):
    store = ArtifactStore(data / "artifacts")
    picture, view, wanted, beside, other = (f"{number}{number}" * 16 for number in range(5))
    same = {"view": Same("pictures", picture, "pixels")}
    store.put_block("pictures", [member([picture], {"pixels": np.zeros((4, 4, 3), np.uint8)}, {})])
    store.put_block("views", [member([view], {}, {}, same)])
    store.put_block("maps", [member([key], {}, {}) for key in (wanted, beside)], {wanted: {"seconds": 1.0}})
    store.put_block("maps", [member([other], {}, {})], {other: {"seconds": 1.0}})
    write_table(store.root, "lime_masks", "mine", pd.DataFrame({"artifact": [wanted, view], "n": [1, 2]}))
    _age(data)
    assert store.has("maps", USED)
    look = names(data, found(data, days=30).stale) - GOES
    assert {Path(name).parts[1] for name in look} == {"maps_blocks"} and len(look) == 2
    assert {Path(name).name.split(".", 1)[1] for name in look} == {"safetensors", "cost.json"}
    assert run().exit_code == 0
    assert store.known("maps", [wanted, beside, other]).keys() == {wanted, beside}
    assert store.get("views", view)[0]["view"].shape == (4, 4, 3)


def test_of_two_files_that_have_an_artifact_the_newer_stays(data):
    store = ArtifactStore(data / "artifacts")
    wanted, other = "12" * 16, "34" * 16
    store.put_block("maps", [member([wanted], {}, {}), member([other], {}, {})])
    [older] = (store.root / "maps_blocks").rglob("*.safetensors")
    kept = older.with_name("kept")
    older.rename(kept)
    fresh = ArtifactStore(data / "artifacts")
    assert not fresh.has("maps", wanted)
    fresh.put_block("maps", [member([wanted], {}, {})])
    kept.rename(older)
    write_table(store.root, "lime_masks", "mine", pd.DataFrame({"artifact": [wanted], "n": [1]}))
    _age(data)
    os.utime(older, (1, 1))
    assert store.has("maps", USED)
    assert names(data, found(data, days=30).stale) - GOES == {str(older.relative_to(data))}


# -------------------------------------------------------------------------------- what is not ours


def test_foreign_files_in_our_folders_stay_and_are_named(data):
    artifacts, reports, served = data / "artifacts", data / "reports", data / "dagster" / "storage"
    weights = artifacts / "maps" / "ab" / ("ab" * 16 + ".safetensors")
    weights.parent.mkdir(exist_ok=True)
    save_file({"w": np.zeros(2, np.float32)}, weights, metadata={"format": "pt"})
    own = artifacts / "models" / "ab" / "resnet.safetensors"
    text = artifacts / "models" / "cd" / "notes.safetensors"
    renamed = artifacts / "views" / "aa" / f"{NAMED[:-1]}b.safetensors"
    for path in (own, text, renamed):
        path.parent.mkdir(parents=True)
    save_file({"w": np.zeros(2, np.float32)}, own, metadata={"meta": "{}"})
    text.write_text("mine", encoding="utf-8")
    renamed.write_bytes(ArtifactStore(artifacts).path("maps", NAMED).read_bytes())
    table = artifacts / "tables" / "sales" / "gone.parquet"
    table.parent.mkdir()
    pd.DataFrame({"euros": [1]}).to_parquet(table)
    edited = reports / "gone" / "cam.pdf"
    edited.write_bytes(b"annotated by hand")
    mine = [reports / "gone" / "notes.pdf", reports / "taxes" / "2024" / "return.pdf", reports / "taxes.pdf"]
    mine += [
        served / "pictures" / "mine" / "cat.png",
        reports / "thesis" / "study.pdf",
        reports / "a" / ".x.part",
    ]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF precious")
    _age(data)
    look = found(data, days=30, gone=None)
    assert names(data, look.foreign) == names(data, look.foreign) & {
        str(path.relative_to(data)) for path in (weights, own, text, renamed, table, edited)
    }
    ran = run("--yes")
    assert ran.exit_code == 0, ran.output
    for path in (weights, own, text, renamed, table, edited, *mine):
        assert path.is_file(), path
    for path in (weights, own, text, renamed, table, edited):
        assert path.name in ran.output or "more" in ran.output


def test_what_is_no_file_in_the_place_of_ours_waits_for_nobody_and_stays(data):
    tables, kind = data / "artifacts" / "tables" / "gradcam_masks", data / "artifacts" / "maps" / "ab"
    (tables / "mine.parquet").rename(tables / "kept")
    os.mkfifo(tables / "mine.parquet")
    os.mkfifo(tables / "other.parquet")
    kind.mkdir()
    os.mkfifo(kind / ("ab" * 16 + ".safetensors"))
    (kind / ("ac" * 16 + ".safetensors")).mkdir()
    os.mkfifo(data / "reports" / "gone" / "lime.pdf")
    _age(data)
    before = {path for path in data.rglob("*") if not path.is_file()}
    assert run("--study", "gone").exit_code == 0
    assert {path for path in before if path.is_fifo()} == {path for path in data.rglob("*") if path.is_fifo()}
    assert (kind / ("ac" * 16 + ".safetensors")).is_dir()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 40 + b"PAR1"])
def test_the_artifacts_of_a_damaged_table_of_ours_are_told_by_its_bytes(data, content):
    path = data / "artifacts" / "tables" / "gradcam_masks" / "mine.parquet"
    path.write_bytes(content + b" " + NAMED.encode() + b" ")
    _age(data)
    assert run().exit_code == 0
    assert (data / "artifacts" / "maps" / "aa" / f"{NAMED}.safetensors").is_file()


def test_links_are_neither_followed_nor_removed(data, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (data / "artifacts" / "maps" / "cc").rename(away / "cc")
    (data / "artifacts" / "maps" / "cc").symlink_to(away / "cc")
    (data / "reports" / "gone").rename(away / "gone")
    (data / "reports" / "gone").symlink_to(away / "gone")
    (data / "reports" / "loop").symlink_to(data / "reports" / "loop")
    (data / "reports" / "nowhere.pdf").symlink_to(away / "nothing")
    _age(data)
    before = files(away)
    assert run("--yes").exit_code == 0
    assert files(away) == before
    for name in ("artifacts/maps/cc", "reports/gone", "reports/loop", "reports/nowhere.pdf"):
        assert (data / name).is_symlink()


def test_a_link_that_appears_after_the_look_is_not_followed(data, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    look = found(data, days=30)
    folder = data / "artifacts" / "maps" / "cc"
    folder.rename(away / "cc")
    folder.symlink_to(away / "cc")
    before = files(away)
    failed = remove(look.stale, before=time.time())
    assert files(away) == before
    assert {item.path.parent for item, _ in failed} == {folder}


def test_what_a_run_has_used_since_the_look_stays(data):
    look = found(data, days=30)
    assert ArtifactStore(data / "artifacts").has("maps", LOOSE)
    remove(look.stale, before=time.time() - 30 * SECONDS_A_DAY)
    assert ArtifactStore(data / "artifacts").has("maps", LOOSE)


@pytest.mark.parametrize(
    "content",
    ["", "[", "[1]", '{"../studies/mine.yaml": "x"}', '{"/etc/passwd": 3}', '{"": "x"}', "[" * 100_000],
)
def test_a_damaged_record_removes_nothing(data, content):
    (data / "reports" / written.NAME).write_text(content, encoding="utf-8")
    _age(data)
    assert run("--yes").exit_code == 0
    assert (data / "reports" / "gone" / "cam.pdf").is_file()
    assert (data / "studies" / "mine.yaml").is_file()


def test_a_record_does_not_reach_out_of_its_folder(data):
    target = data / "studies" / "other.yaml"
    target.write_bytes(b"x")
    entry = {"../studies/other.yaml": sha256_bytes(b"x"), "gone/../../studies/other.yaml": sha256_bytes(b"x")}
    (data / "reports" / written.NAME).write_text(json.dumps(entry), encoding="utf-8")
    _age(data)
    assert run("--yes").exit_code == 0
    assert target.is_file()


@pytest.mark.parametrize("variable", ["XAI_ARTIFACTS", "XAI_REPORTS"])
def test_a_folder_of_ours_that_is_a_folder_of_somebody_loses_nothing(
    data, monkeypatch, variable, tmp_path_factory
):
    home = tmp_path_factory.mktemp("home")
    for name in (
        "docs/study.pdf",
        "a/bb/weights.safetensors",
        "tables/x/y.parquet",
        "mine/.cam.pdf.abcdefgh.txt",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"precious")
    _age(home)
    before = files(home)
    monkeypatch.setenv(variable, str(home))
    assert run("--yes").exit_code == 0
    assert files(home) == before


def test_reports_of_an_older_version_are_known_by_what_they_say(data):
    folder = data / "reports" / "gone"
    written.forget(data / "reports", list(folder.iterdir()))
    (folder / "cam.json").write_text(
        json.dumps({"study": {"name": "gone", "made_from": "x"}}), encoding="utf-8"
    )
    _age(data)
    assert run("--yes").exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["cam.html", "cam.pdf"]


# -------------------------------------------------------------------------- the folder of studies


def _refused(data, *arguments):
    ran = run("--yes", *arguments)
    assert "tudies folder" in ran.output or "XAI_STUDIES" in ran.output
    assert ran.exit_code != 0
    assert (data / "reports" / "gone" / "cam.pdf").is_file() and (
        data / "reports" / "mine" / "cam.pdf"
    ).is_file()


def test_a_folder_of_studies_that_is_not_there_is_refused(data, monkeypatch):
    monkeypatch.setenv("XAI_STUDIES", str(data / "studeis"))
    _refused(data)
    (data / "studeis").write_text("a file", encoding="utf-8")
    _refused(data)
    monkeypatch.delenv("XAI_STUDIES")
    (data / "studies").rename(data / "moved")
    _refused(data)


def test_a_folder_without_studies_is_refused_while_there_are_results(data, monkeypatch):
    (data / "empty").mkdir()
    monkeypatch.setenv("XAI_STUDIES", str(data / "empty"))
    _refused(data)


def test_a_wheel_without_studies_of_its_own_can_be_pruned(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    monkeypatch.delenv("XAI_STUDIES", raising=False)
    assert run().exit_code == 0


def test_the_log_of_runs_in_a_dagster_home_of_others_stays(data, monkeypatch):
    (data / "dagster").rename(data / "shared_home")
    monkeypatch.setenv("DAGSTER_HOME", str(data / "shared_home"))
    assert run("--yes").exit_code == 0
    assert Path(data / "shared_home" / "storage" / RUN / "compute_logs" / "step.err").is_file()
