"""`xai concepts`: what it prints, how it ends, and that nothing is left half done."""

import json

import pytest
from click.testing import CliRunner

from xai_assets import cli_concepts
from xai_assets.cli import cli
from xai_assets.dissection.unit_concepts import COMPUTED, METHODS, unit_rows
from xai_assets.interop.concept_files import FORMATS
from xai_assets.resources.warehouse import Warehouse

CLIP = "layer,unit,description,similarity\nl1,0,red,0.25\nl1,1,sea,0.5\nl2,0,red,0.125\nl2,1,cars,1.5\n"
TALLY = "unit,category,label,score\n1,color,red-c,0.3\n2,object,car,0.01\n"


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    for name in ("XAI_ARTIFACTS", "XAI_WAREHOUSE", "XAI_STUDIES", "XAI_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli, ["concepts", *arguments], catch_exceptions=False)


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "data" / "warehouse.duckdb")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.csv").write_text(CLIP)
    (tmp_path / "b.csv").write_text(CLIP.replace("l2,1,cars", "l2,1,car").replace("l1,1,sea", "l1,1,wave"))
    (tmp_path / "tally.csv").write_text(TALLY)
    return tmp_path


def test_the_names_are_those_of_the_modules_that_are_loaded_later():
    assert list(cli_concepts.FORMATS) == list(FORMATS)
    assert list(cli_concepts.METHODS) == list(METHODS)


def test_import_and_summary(invoke, files):
    done = invoke("import", "a.csv", "--model", "net", "--study", "mine")
    assert (done.exit_code, done.output) == (
        0,
        "mine: 4 units of net by clip_dissect_import, 4 with a concept, in l1, l2\n",
    )
    assert invoke("import", "tally.csv", "--layer", "l1", "--model", "net", "--study", "mine").exit_code == 0
    shown = invoke("summary", "--study", "mine")
    assert shown.exit_code == 0
    assert shown.output.splitlines() == [
        "net  clip_dissect_import  all layers: 4 units, 4 named, 3 different concepts",
        "net  clip_dissect_import  l1: 2 units, 2 named, 2 different concepts",
        "net  clip_dissect_import  l2: 2 units, 2 named, 2 different concepts",
        "net  netdissect_import  all layers: 2 units, 1 named, 1 different concepts",
        "net  netdissect_import  l1: 2 units, 1 named, 1 different concepts",
        "net  clip_dissect_import and netdissect_import, color: 1 of 1 units agree (100%)",
    ]
    found = json.loads(invoke("summary", "--study", "mine", "--json").output)
    assert found["layers"][0]["unique_concepts"] == 3 and found["layers"][0]["layer"] is None
    assert found["sources"] == ["a.csv", "tally.csv"]
    assert found["agreement"][0]["agreement"] == 1.0


def test_an_import_replaces_its_own_rows_and_no_others(invoke, files, warehouse):
    computed = unit_rows(
        [{"model": "net", "layer": "l1", "unit": 0, "concept": "dog"}],
        method="clip_dissect",
        source="computed",
    )
    warehouse.replace("mine", {"unit_concepts": computed}, within={"unit_concepts": {"method": COMPUTED}})
    for name, model in (("a.csv", "net"), ("b.csv", "net"), ("a.csv", "other")):
        assert invoke("import", name, "--model", model, "--study", "mine").exit_code == 0
    for layer in ("l1", "l2", "l1"):
        done = invoke("import", "tally.csv", "--layer", layer, "--model", "net", "--study", "mine")
        assert done.exit_code == 0
    units = warehouse.read("mine")["unit_concepts"]
    counts = units.groupby(["model", "method", "source"]).size().to_dict()
    assert counts == {
        ("net", "clip_dissect", "computed"): 1,
        ("net", "clip_dissect_import", "b.csv"): 4,
        ("net", "netdissect_import", "tally.csv"): 4,
        ("other", "clip_dissect_import", "a.csv"): 4,
    }
    assert warehouse.read("mine")["clip_dissect"]["concept"].tolist() == ["dog"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "none.csv", "--model", "net", "--study", "mine"), "none.csv: there is no such file"),
        (("import", "bad.csv", "--model", "net", "--study", "mine"), "bad.csv, line 6: unit is '-1'"),
        (("import", "a.csv", "--model", "net", "--study", "../up"), "lower-case letters"),
        (("import", "a.csv", "--model", " ", "--study", "mine"), "it is empty"),
        (("import", "a.csv", "--model", "=net", "--study", "mine"), "formula"),
        (("import", "a.csv", "--model", "net", "--study", "mine", "--layer", "l1"), "names its layers itself"),
        (("import", "a.csv", "--study", "mine"), "Missing option '--model'"),
        (("import", "a.csv", "--model", "net", "--study", "mine", "--format", "x"), "'x' is not one of"),
        (("import", "tally.csv", "--model", "net", "--study", "mine"), "Name the layer (--layer"),
        (("summary", "--study", "mine"), "Studies with unit concepts: none"),
        (("compare", "a.csv", "mine:net"), "no unit concepts of it"),
        (("compare", "a.csv", "net"), "neither STUDY:MODEL nor the path of a .csv file"),
        (("export", "--study", "mine", "--model", "net", "--output", "out"), "no unit concepts of it"),
    ],
)  # fmt: skip
def test_what_is_wrong_ends_with_2_and_leaves_nothing(invoke, files, warehouse, arguments, said):
    (files / "bad.csv").write_text(CLIP + "l3,-1,red,1\n")
    found = invoke(*arguments)
    assert found.exit_code == 2
    assert said in found.output and "Traceback" not in found.output
    assert not warehouse.path.exists() and not (files / "out").exists()


def test_a_bad_file_leaves_what_was_imported_before(invoke, files, warehouse):
    assert invoke("import", "a.csv", "--model", "net", "--study", "mine").exit_code == 0
    (files / "bad.csv").write_text(CLIP + "l3,-1,red,1\n")
    assert invoke("import", "bad.csv", "--model", "net", "--study", "mine").exit_code == 2
    assert len(warehouse.read("mine")["unit_concepts"]) == 4


def test_two_files_are_compared_as_sets_and_as_runs(invoke, files):
    shown = invoke("compare", "a.csv", "b.csv")
    assert shown.exit_code == 0
    assert shown.output.splitlines() == [
        "A: a.csv, clip_dissect_import, 4 units",
        "B: b.csv, clip_dissect_import, 4 units",
        "all layers: 3 and 3 different concepts, 2 shared, 1 in A only, 1 in B only, Jaccard 0.50",
        "l1: 2 and 2 different concepts, 1 shared, 1 in A only, 1 in B only, Jaccard 0.33",
        "l2: 2 and 2 different concepts, 2 shared, 0 in A only, 0 in B only, Jaccard 1.00",
        "in A only: sea",
        "in B only: wave",
        "no change beyond noise: 3 of 4 units keep their concept, 1 change"
        " (0 by near-ties; a rerun may change 1 more)",
        "  l1 1: sea -> wave",
    ]
    found = json.loads(invoke("compare", "a.csv", "b.csv", "--json").output)
    (changed,) = found["runs"]["changed"]
    assert (changed["layer"], changed["unit"], changed["concept_a"]) == ("l1", 1, "sea")
    assert (changed["concept_b"], changed["gap_a"], changed["explained"]) == ("wave", None, False)
    assert found["runs"]["share"] == 0.75 and not found["runs"]["beyond_noise"]
    tallies = invoke("compare", "tally.csv", "tally.csv", "--layer", "l1")
    assert "Jaccard 1.00" in tallies.output and tallies.exit_code == 0


def test_files_are_compared_over_the_layers_that_they_share(invoke, files):
    rest = "".join(f"l2,{unit},red,0.1\n" for unit in range(2, 40))
    (files / "long.csv").write_text(CLIP + rest + "l3,0,dog,0.5\n")
    (files / "short.csv").write_text(CLIP.replace("l1,1,sea,0.5\n", "") + rest.replace("l2,39,red,0.1\n", ""))
    found = json.loads(invoke("compare", "long.csv", "short.csv", "--json").output)
    assert found["runs"]["units"] == found["runs"]["same"] == 39
    assert found["left_out"] == [
        "l1 has 2 units in A and 1 in B, 1 of them in both",
        "l2: 1 units are in A only, such as 39",
        "l3 is in A only",
    ]
    assert "not compared unit by unit: l3 is in A only" in invoke("compare", "long.csv", "short.csv").output
    (files / "other.csv").write_text("layer,unit,description,similarity\nx,0,red,0.25\n")
    nothing = json.loads(invoke("compare", "a.csv", "other.csv", "--json").output)
    assert nothing["runs"] is None and "share no layer" in nothing["left_out"][0]


def test_an_import_says_where_counts_and_iou_differ_and_a_comparison_which_methods_there_are(invoke, files):
    head = "unit,category,label,score,object-truth,object-activation,object-intersect\n"
    (files / "counted.csv").write_text(head + "1,object,car,0.9,100,100,50\n2,object,dog,0.3333,100,100,50\n")
    done = invoke("import", "counted.csv", "--layer", "l1", "--model", "net", "--study", "mine")
    assert done.exit_code == 0
    assert "unit 1: score of object is 0.9 in the file, and its counts give 0.3333" in done.output
    assert "unit 2" not in done.output
    assert invoke("import", "a.csv", "--model", "net", "--study", "mine").exit_code == 0
    shown = invoke("compare", "mine:net", "mine:net").output
    assert "Both sides also have netdissect_import: choose with --method." in shown


def test_sides_in_the_warehouse_are_named_by_study_and_model(invoke, files):
    for name, model in (("a.csv", "zoo/net:V1"), ("b.csv", "other")):
        assert invoke("import", name, "--model", model, "--study", "mine").exit_code == 0
    same = json.loads(invoke("compare", "mine:zoo/net:V1", "a.csv", "--json").output)
    assert same["runs"]["same"] == 4 and same["layers"][0]["jaccard"] == 1.0
    # two names are two models, however alike their units
    assert json.loads(invoke("compare", "mine:zoo/net:V1", "mine:other", "--json").output)["runs"] is None
    missing = invoke("compare", "mine:zoo/net:V1", "mine:third")
    assert missing.exit_code == 2 and "Its models: zoo/net:V1, other." in missing.output
    method = invoke("compare", "mine:other", "mine:other", "--method", "netdissect")
    assert method.exit_code == 2 and "Its methods: clip_dissect_import." in method.output


def test_what_is_exported_comes_back(invoke, files, warehouse):
    assert invoke("import", "a.csv", "--model", "net", "--study", "mine").exit_code == 0
    arguments = ("export", "--study", "mine", "--model", "net", "--output", "out/net")
    assert invoke(*arguments).exit_code == 2  # nothing was computed here
    written = invoke(*arguments, "--method", "clip_dissect_import")
    assert written.output.split() == ["out/net/descriptions.csv", "out/net/args.txt"]
    assert (files / "out/net/descriptions.csv").read_text() == CLIP
    assert json.loads((files / "out/net/args.txt").read_text())["target_layers"] == ["l1", "l2"]
    assert invoke("import", "out/net/descriptions.csv", "--model", "net", "--study", "back").exit_code == 0
    before, after = (
        warehouse.read(study)["unit_concepts"].drop(columns="source") for study in ("mine", "back")
    )
    assert before.equals(after)
    again = invoke(*arguments, "--method", "clip_dissect_import")
    assert again.exit_code == 2 and "holds files already" in again.output


@pytest.mark.parametrize("command", ["import", "summary", "compare", "export"])
def test_every_command_explains_itself_with_an_example(invoke, command):
    found = invoke(command, "--help")
    assert found.exit_code == 0 and f"xai concepts {command} " in found.output
