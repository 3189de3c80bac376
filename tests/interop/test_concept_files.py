"""Result files of CLIP-Dissect, NetDissect and MILAN: what comes in, what goes out, and what is refused."""

import ast
import io
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.interop import file_rows as rows_module
from xai_assets.interop.clip_dissect_csv import read_arguments, write_descriptions
from xai_assets.interop.concept_files import detect_format, read_concept_file
from xai_assets.interop.file_rows import ConceptFileError
from xai_assets.interop.image_lists import format_images, parse_images
from xai_assets.interop.netdissect_csv import NOTES

CLIP = "layer,unit,description,similarity\nlayer1,0,red,0.25\nlayer1,1,sea,1e-3\nlayer2,0,null,-0.5\n"
TALLY = (
    "unit,category,label,score,object-label,object-truth,object-activation,object-intersect,object-iou,"
    "part-label,part-truth,part-activation,part-intersect,part-iou\n"
    "2,object,cat,0.0954,cat,4163987,2139281,549646,0.0954,torso,7669375,1341272,362754,0.0419\n"
    "1,part,body,0.04,bottle,940208,1565862,87077,0.0359,body,1291612,774358,79460,0.04\n"
    "3,object,,0.05,,2007040,100352,100352,0.05,-,1,1,1,0\n"
)
MILAN = 'layer,unit,description\nconv1,0,People \'s faces\nconv1,1,"Lines, and dots"\n'


@pytest.fixture
def write(tmp_path):
    def write(text, name="descriptions.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def cells(table, *columns):
    chosen = table[list(columns)]
    return chosen.astype(object).where(chosen.notna(), None).values.tolist()


def test_clip_dissect_is_read_with_its_arguments(write):
    path = write(CLIP)
    assert detect_format(path) == "clip_dissect"
    table = read_concept_file(path, "net")
    assert cells(table, "layer", "unit", "concept", "score") == [
        ["layer1", 0, "red", 0.25],
        ["layer1", 1, "sea", 0.001],
        ["layer2", 0, "null", -0.5],
    ]
    assert set(table["method"]) == {"clip_dissect_import"} and set(table["source"]) == {str(path)}
    assert set(table["score_name"]) == {"similarity"} and table["dead"].isna().all()
    write(json.dumps({"similarity_fn": "wpmi", "target_layers": ["layer1"]}), "args.txt")
    assert set(read_concept_file(path, "net")["score_name"]) == {"wpmi"}


@pytest.mark.parametrize(
    ("value", "images"),
    [
        ("['a.jpg', 'b/c d.jpg']", "a.jpg;b/c d.jpg"),
        (r"['C:\\data\\a.jpg', 'C:\\data\\b.jpg']", "C:/data/a.jpg;C:/data/b.jpg"),
        (r'["it\'s.jpg", "/d/x.png"]', "it's.jpg;/d/x.png"),
        ("a|b.jpg|c", "a;b.jpg;c"),
        (r"C:\data\a.jpg|b", "C:/data/a.jpg;b"),
        ("['a;b.jpg', 'c']", r"a\;b.jpg;c"),
        ("[]", None),
        ("", None),
    ],
)
def test_top_images_of_either_form_and_system_are_read(write, value, images):
    quoted = '"' + value.replace('"', '""') + '"'
    path = write(f"layer,unit,description,similarity,top_images\nl,0,red,1,{quoted}\n")
    assert cells(read_concept_file(path, "net"), "top_images") == [[images]]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("['a', __import__('os').system('x')]", "no list of names"),
        ("['a' 'b']", "no list of names"),
        ("['a'", "no list of names"),
        ("[" * 5000, "no list of names"),
        ("['a', '']", "names an image ''"),
        (r"['\N{nonsense}']", "cannot be read"),
        ("['" + "a" * 30000 + "']", "characters, more than"),
        ("|".join("ab" for _ in range(200)), "names 200 images"),
    ],
)
def test_a_list_that_is_none_is_refused_with_its_line(write, value, said):
    path = write(f'layer,unit,description,similarity,top_images\nl,0,red,1,"{value}"\n')
    with pytest.raises(ConceptFileError, match=rf"line 2: top_images .*{said}"):
        read_concept_file(path, "net")


NAMES = st.lists(
    st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="|"), min_size=1, max_size=20),
    min_size=1,
    max_size=5,
)


@given(NAMES)
def test_a_list_is_python_s_and_comes_back(names):
    text = format_images(names)
    assert ast.literal_eval(text) == names
    # a backslash is a folder's separator on the system that wrote it
    assert parse_images(text) == [name.replace("\\", "/") for name in names]


def test_netdissect_counts_from_one_and_tells_detectors(write):
    path = write(TALLY, "tally.csv")
    assert detect_format(path) == "netdissect"
    table = read_concept_file(path, "net", layer="layer4")
    assert cells(table, "layer", "unit", "concept", "category", "score", "detector", "runner_up") == [
        ["layer4", 0, "body", "part", 0.04, False, "bottle"],
        ["layer4", 1, "cat", "object", 0.0954, True, "torso"],
        ["layer4", 2, None, None, 0.05, False, None],
    ]
    assert table["gap"].tolist()[:2] == pytest.approx([0.0041, 0.0535])
    assert set(table["score_name"]) == {"iou"} and set(table["method"]) == {"netdissect_import"}
    with pytest.raises(ConceptFileError, match="does not say which layer"):
        read_concept_file(path, "net")


@pytest.mark.parametrize(
    ("old", "new", "score", "said"),
    [
        (
            "0.0954,cat",
            "0.12,cat",
            0.09553,
            "unit 2: score of object is 0.12 in the file, and its counts give 0.0955",
        ),
        ("549646", "2549646", 0.0954, "counts of object cannot be: 2.54965e+06 of"),
        ("549646", "5496460", 0.0954, "counts of object cannot be"),
        ("2139281,549646", "2139281,", 0.0954, None),
    ],
)
def test_an_iou_is_held_against_its_counts(write, old, new, score, said):
    table = read_concept_file(write(TALLY.replace(old, new, 1)), "net", layer="layer4")
    assert table["score"][1] == pytest.approx(score, abs=1e-4)
    notes = [f"{unit}: {why}" for unit, why in table.attrs[NOTES]]
    assert len(notes) >= (said is not None) and all(said is not None and "unit 2: " in note for note in notes)
    assert said is None or any(said in note for note in notes)


def test_milan_gives_sentences(write):
    path = write(MILAN)
    assert detect_format(path) == "milan"
    table = read_concept_file(path, "net")
    assert table["concept"].tolist() == ["People 's faces", "Lines, and dots"]
    assert table["score"].isna().all() and set(table["method"]) == {"milan_import"}
    with pytest.raises(ConceptFileError, match="names its layers itself"):
        read_concept_file(path, "net", layer="conv1")


def test_a_format_can_be_named(write):
    table = read_concept_file(write(CLIP), "net", format="milan")
    assert set(table["method"]) == {"milan_import"}
    with pytest.raises(ConceptFileError, match="has no column category"):
        read_concept_file(write(CLIP), "net", format="netdissect", layer="l")


def test_marks_and_line_ends_of_other_systems_are_read(write):
    table = read_concept_file(write(b"\xef\xbb\xbf" + CLIP.replace("\n", "\r\n").encode()), "net")
    assert table["concept"].tolist() == ["red", "sea", "null"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("layer1,1", "layer1,-1", r"line 3: unit is '-1', not a whole number from 0"),
        ("layer1,1", "layer1,1.5", r"line 3: unit is '1\.5'"),
        ("layer1,1", "layer1,²", r"line 3: unit is '²'"),
        ("layer1,1", "layer1,99999999", r"line 3: unit is '99999999'"),
        ("layer1,1", "layer1,0", r"line 3: unit 0 of layer1 stands in line 2 already"),
        ("layer1,1", ",1", r"line 3: it names no layer"),
        ("1e-3", "much", r"line 3: similarity is 'much', not a finite number"),
        ("1e-3", "nan", r"line 3: similarity is 'nan'"),
        ("1e-3", "1_0", r"line 3: similarity is '1_0'"),
        ("sea", "=HYPERLINK(1)", r"line 3: description is '=HYPERLINK\(1\)', which a spreadsheet would run"),
        ("sea", " +1", r"line 3: description is '\+1'"),
        ("sea", "@x", r"line 3: .* which a spreadsheet would run as a formula.*mend the line"),
        ("sea", "s\x1bea", r"line 3: .*control character"),
        ("sea", "s" * 1001, r"line 3: .*longer than 1000"),
        ("sea,", "sea,1,", r"line 3: it has too many or too few"),
        ("sea,1e-3", "sea", r"line 3: it has too many or too few"),
        ("sea", "s\0ea", r"line 3: it holds a zero byte"),
        ("unit,", "unit,unit,", r"line 1: the column unit stands twice"),
        ("description", "words", r"line 1: its columns \(layer, unit, words, similarity\) are those of no known"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_line(write, old, new, said):
    assert old in CLIP
    path = write(CLIP.replace(old, new, 1))
    with pytest.raises(ConceptFileError, match=r"descriptions\.csv.*" + said):
        read_concept_file(path, "net")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (CLIP.replace("sea", "Möwe").encode("latin-1"), r"line 3: it is not UTF-8 \(byte 0xf6\)"),
        (CLIP.encode("utf-16"), r"line 1: it is not UTF-8"),
        (b"", "those of no known format"),
        (CLIP.split("\n")[0].encode(), "it has no rows"),
        (CLIP.encode() + b'layer3,0,"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_what_is_no_table_is_refused(write, data, said):
    with pytest.raises(ConceptFileError, match=said):
        read_concept_file(write(data), "net")


def test_a_huge_file_a_folder_and_none_are_refused(write, tmp_path, monkeypatch):
    with pytest.raises(ConceptFileError, match="no such file"):
        read_concept_file(tmp_path / "none.csv", "net")
    with pytest.raises(ConceptFileError, match="no such file"):
        read_concept_file(tmp_path / "none.csv", "net", format="milan")
    with pytest.raises(ConceptFileError, match="not a regular file"):
        read_concept_file(tmp_path, "net")
    path = write(CLIP)
    with path.open("r+b") as file:
        file.truncate(rows_module.MAX_BYTES + 1)
    with pytest.raises(ConceptFileError, match=r"67,108,865 bytes, more than 67,108,864"):
        read_concept_file(path, "net")


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ("[1]", "no JSON object"), ("[" * 70000, "more than 65,536"), ("[" * 60000, "not JSON")],
)  # fmt: skip
def test_arguments_that_are_none_are_refused(write, text, said):
    with pytest.raises(ConceptFileError, match=said):
        read_arguments(write(text, "args.txt"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1,part", "0,part", r"line 3: unit is '0', not a whole number from 1"),
        ("0.0954,cat", "1.5,cat", r"line 2: score is 1\.5, not an IoU"),
        ("0.0419", "-0.1", r"line 2: part-iou is -0\.1"),
        ("1,part", "2,part", r"line 3: unit 2 of layer4 stands in line 2"),
    ],
)
def test_what_is_wrong_in_a_tally_is_said_with_its_line(write, old, new, said):
    with pytest.raises(ConceptFileError, match=said):
        read_concept_file(write(TALLY.replace(old, new, 1)), "net", layer="layer4")


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=30).filter(
    lambda word: word == word.strip() and word[:1] not in "=+-@"
)
ROWS = st.lists(
    st.tuples(
        st.none() | WORDS,
        st.floats(allow_nan=False, allow_infinity=False),
        st.lists(st.sampled_from(["a.png", "b/c.png", "it's", '"']), max_size=3),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_what_is_written_comes_back_to_the_last_bit(tmp_path_factory, rows):
    table = pd.DataFrame(
        {
            "layer": "layer4", "unit": range(len(rows)), "concept": [word for word, _, _ in rows],
            "score": [score for _, score, _ in rows],
            "top_images": [";".join(images) or None for _, _, images in rows],
        }
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("out") / "net"
    path, _ = write_descriptions(folder, table, {"similarity_fn": "soft_wpmi"})
    back = read_concept_file(path, "net")
    assert cells(back, "layer", "unit", "concept", "top_images") == cells(
        table, "layer", "unit", "concept", "top_images"
    )
    kept = [None if word is None else score for word, score, _ in rows]
    assert [row[0] for row in cells(back, "score")] == kept
    assert set(back["score_name"]) == {"soft_wpmi"}


def test_the_folder_is_what_clip_dissect_s_own_tools_read(tmp_path):
    table = pd.DataFrame(
        {"layer": "layer4", "unit": [0, 1], "concept": ["sea", None], "score": [0.5, None],
         "top_images": ["a.jpg;b.jpg", None]}
    )  # fmt: skip
    descriptions, arguments = write_descriptions(tmp_path / "net", table, {"target_model": "net"})
    read = pd.read_csv(descriptions)  # as the published notebooks do
    assert list(read.columns) == ["layer", "unit", "description", "similarity", "top_images"]
    assert read["description"].tolist()[0] == "sea" and len(read) == 2
    assert ast.literal_eval(read["top_images"][0]) == ["a.jpg", "b.jpg"]
    found = json.loads(arguments.read_text())
    assert found["target_model"] == "net" and found["clip_model"] is None and len(found) == 11
    plain, _ = write_descriptions(tmp_path / "plain", table.assign(top_images=None), {})
    assert plain.read_text().startswith("layer,unit,description,similarity\nlayer4,0,sea,0.5\n")


def test_nothing_is_written_over_or_by_halves(tmp_path):
    table = pd.DataFrame(
        {"layer": "l", "unit": [0, 1], "concept": ["sea", "=1+1"], "score": 1.0, "top_images": None}
    )
    with pytest.raises(ConceptFileError, match=r"l unit 1.*'=1\+1', which a spreadsheet would run"):
        write_descriptions(tmp_path / "net", table, {})
    with pytest.raises(ValueError, match="JSON"):
        write_descriptions(tmp_path / "net", table.iloc[:1], {"x": float("nan")})
    with pytest.raises(ConceptFileError, match="no units"):
        write_descriptions(tmp_path / "net", table.iloc[:0], {})
    assert not list(tmp_path.iterdir())
    (tmp_path / "net").mkdir()
    write_descriptions(tmp_path / "net", table.iloc[:1], {})
    with pytest.raises(ConceptFileError, match="holds files already"):
        write_descriptions(tmp_path / "net", table.iloc[:1], {})


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "x.csv"
    path.write_bytes(io.BytesIO(CLIP.encode()[:40] + data).getvalue())
    said = str(path)
    try:
        read_concept_file(path, "net")
    except ConceptFileError as error:
        said = str(error)
    assert str(path) in said
