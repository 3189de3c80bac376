"""Whatever is wrong with a study's values is said in our words: every kind of error of the schema is provoked."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from xai_assets.study import Study
from xai_assets.study_fields import fields
from xai_assets.study_file import StudyError, study_from
from xai_assets.study_words import PATTERNS

PATH = Path("/studies/small.yaml")
OWN_MODEL = {
    "name": "mine",
    "architecture": "timm/x",
    "checkpoint": "x.pth",
    "class_names": "x.txt",
    "preprocessing": {
        "mode": "resize_crop",
        "resize": 32,
        "size": 32,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "input_range": [-2, 2],
    },
}
WHOLE = {
    "title": "T",
    "dissection": {
        "models": [{"model": OWN_MODEL, "layers": ["layer4"]}],
        "probe": {"diorama": {"count": 100}},
        "encoder": "diorama/clip",
        "clip_dissect": {"similarity": "soft_wpmi", "top_k": 5},
        "netdissect": {"quantile": 0.1},
    },
    "attribution": {
        "model": "diorama/object",
        "images": {"folder": "x"},
        "truth": {"masks": "y"},
        "methods": {
            "gradcam": {},
            "ablationcam": {"batch_size": 3},
            "scorecam": {"weighting": "softmax"},
            "lime": {
                "segmentation": {"name": "slic", "sigma": 1},
                "hide_color": [1, 2, 3],
                "model_regressor": {"name": "ridge"},
            },
        },
        "lime_per_image": {"a.png": {"num_samples": 3}},
        "binarisation": {"policy": "fixed", "value": 0.5},
        "faithfulness": {"road": [0.1, 0.2]},
        "robustness": {"cases": 1},
    },
    "drift": {"min_iou": 0.5},
    "reports": ["cam"],
    "schedule": "0 3 * * *",
}  # fmt: skip
WRONG = [
    None, True, -1, 0, 10**17, 0.5, -1e300, 1e300, 2.5, "", "x", "x" * 3000, "12", "1e999", "yes", "a\nb", [], [1], ["x"],
    [None] * 9, {}, {"x": 1}, {"name": "x"}, {"similarity": "soft_wmpi"}, {"name": "slic", "n_segments": "x"}, [0.2, 0.1],
    {"policy": "otsu", "value": 1},
]  # fmt: skip
PYDANTIC = re.compile(
    r"Input (should|tag)|Field required|Extra inputs|not permitted|Value error|Assertion failed|should (be|have|match)|"
    r"valid (integer|number|string|boolean|dictionary|tuple|list|array|object)|Unable to|discriminator|"
    r"NoneType|pydantic|type=|dict\b|tuple\b|\bint\b|\bstr\b|\bbool\b|validation",
    re.IGNORECASE,
)


def problems(content) -> tuple[str, ...]:
    text = yaml.safe_dump(content, sort_keys=False, width=10**6)
    try:
        study_from(text.encode(), PATH)
    except StudyError as error:
        return error.problems
    return ()


def places(content, path=()) -> Iterator[tuple]:
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def replaced(path, value, *, key=None):
    content = copy.deepcopy(WHOLE)
    part = content
    for step in path[:-1]:
        part = part[step]
    if key is None:
        part[path[-1]] = value
    else:
        part.pop(path[-1])
        part[key] = value
    return content


def test_the_whole_study_is_valid():
    assert problems(WHOLE) == ()


@pytest.mark.parametrize("path", list(places(WHOLE)), ids=lambda path: ".".join(map(str, path)))
def test_every_wrong_value_of_every_field_is_said_in_our_words(path):
    """Also: a field that is missing, one that does not exist, and each part without anything."""
    wrong = [replaced(path, value) for value in WRONG]
    if isinstance(path[-1], str):
        wrong += [replaced(path, 1, key=f"{path[-1]}x")]
    for content in wrong:
        for problem in problems(content):
            assert not PYDANTIC.search(problem.replace("description", "")), problem
            assert re.match(r"small\.yaml:\d+: ", problem) and len(problem) < 600


def kinds(schema) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for key, value in schema.items():
            if key not in ("metadata", "cls", "serialization"):
                yield from kinds(value)
    elif isinstance(schema, (list, tuple)):
        for one in schema:
            yield from kinds(one)


def test_the_schema_has_no_kind_of_value_without_words():
    """A new kind (a date, an address, a set) needs words of its own in `study_words`, and a value here."""
    known = {
        "definitions", "definition-ref", "model", "model-fields", "model-field", "default", "nullable", "union",
        "tagged-union", "literal", "int", "float", "bool", "str", "tuple", "dict", "list", "function-before",
        "function-after", "function-wrap", "no-info", "with-info", "any",
    }  # fmt: skip
    assert set(kinds(Study.__pydantic_core_schema__)) <= known


def test_every_pattern_of_the_schema_has_words():
    def patterns(schema) -> Iterator[str]:
        if isinstance(schema, dict):
            if isinstance(schema.get("pattern"), str):
                yield schema["pattern"]
            for key, value in schema.items():
                if key not in ("metadata", "cls"):
                    yield from patterns(value)
        elif isinstance(schema, (list, tuple)):
            for one in schema:
                yield from patterns(one)

    assert set(patterns(Study.__pydantic_core_schema__)) == set(PATTERNS)


@pytest.mark.parametrize(
    ("path", "value", "key", "said"),
    [
        (("attribution", "methods", "gradcam"), {}, "gradcamm", "Did you mean 'gradcam'"),
        (("attribution", "methods"), {"gradcam": {}}, "methdos", "Did you mean 'methods'"),
        (("attribution", "truth"), {"mask": "x"}, None, "Did you mean 'masks'"),
        (("attribution", "methods", "lime", "segmentation"), "slicc", None, "Did you mean 'slic'?"),
        (("attribution", "methods", "lime", "segmentation"), {"name": "grid", "row": 3}, None, "Did you mean 'rows'?"),
        (("attribution", "methods", "lime", "hide_color"), "meen", None, "Did you mean 'mean'?"),
        (("attribution", "methods", "scorecam", "weighting"), "softmaxx", None, "Did you mean 'softmax'?"),
        (("attribution", "binarisation", "policy"), "otzu", None, "Did you mean 'otsu'?"),
        (("dissection", "clip_dissect", "similarity"), "soft_wmpi", None, "Did you mean 'soft_wpmi'"),
        (("reports", 0), "cams", None, "Did you mean 'cam'?"),
        (("attribution", "methods", "lime", "num_samples"), "1000", None, "whole number; write one without quotes"),
        (("seed",), "1e9", None, "no whole number"),
        (("attribution", "methods", "lime", "hide_color"), [1, 2, 300], None, "write a number of at most 255"),
        (("attribution", "methods", "lime", "hide_color"), [1, 2], None, "too short"),
        (("dissection", "models"), [], None, "0 entries; write at least 1"),
        (("title",), 3, None, "3 is not text; put it in quotes"),
        (("attribution", "model"), OWN_MODEL | {"sha256": "abc"}, None, "64 digits"),
    ],
)  # fmt: skip
def test_a_typo_is_named_with_what_was_probably_meant(path, value, key, said):
    found = problems(replaced(path, value, key=key) if path != ("seed",) else WHOLE | {"seed": value})
    assert said in found[0]


def test_alternatives_of_one_value_are_one_problem():
    (problem,) = problems(replaced(("attribution", "methods", "lime", "hide_color"), 3))
    assert "none of mean, blur; or: 3 is no list" in problem


def test_errors_of_several_fields_of_one_part_are_several_problems():
    part = {"name": "slic", "n_segments": 1, "compactness": 0, "sigma": -1}
    assert len(problems(replaced(("attribution", "methods", "lime", "segmentation"), part))) == 3


def test_every_field_is_listed_with_what_it_takes():
    lines = {line.split(":")[0]: line for line in fields()}
    assert lines["title"].startswith("title: text, at most 120") and "has to be written" in lines["title"]
    assert (
        "whole number, from 2, to 1000000, fields; 1000 unless written"
        in lines["attribution.methods.lime.num_samples"]
    )
    assert (
        "one of fixed, top_area, otsu, same_area" in lines["attribution.methods.lime.num_samples.mask.policy"]
    )
    assert "attribution.methods.lime.segmentation[slic].n_segments" in lines
    assert (
        lines["attribution.lime_per_image.NAME"]
        == "attribution.lime_per_image.NAME: the fields of attribution.methods.lime"
    )

    def parts(part: type[BaseModel]) -> Iterator[str]:
        yield from part.model_fields

    assert all(any(name in line for line in lines) for name in parts(Study))
