"""The tables that compare several models of one study: agreement of their maps, tests, and answers that changed."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from xai_assets.analysis.compared_models import names_of, performance_by_model
from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.other_images import kept_chance
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.between_models import (
    CHANCE,
    COLUMNS,
    OWN_ANSWER,
    SAME_CLASS,
    ModelMap,
    agreement_row,
    in_common,
    model_agreement_summary,
    pairs_of,
)
from xai_assets.evaluation.chance import OF_PAIRS, CaseMaps, ShownMap, chance_of_pairs
from xai_assets.evaluation.models_tested import changed_answers, model_tests
from xai_assets.evaluation.other_images import blocks_of

Row = dict[str, Any]
Pair = tuple[str, str, str]
"""Method, and the two models."""


def comparison_tables(bench: Workbench, answers: pd.DataFrame, maps: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All that is computed of several models' answers and maps, by table of the warehouse.

    Args:
        bench: of the study.
        answers: the table `answers_by_model`.
        maps: the table `maps_by_model`.
    """
    models, seed = names_of(answers["model"]), bench.study.seed
    rows = list(_compared(bench, maps, models))
    agreement = pd.DataFrame(rows, columns=list(COLUMNS))
    return {
        "performance_by_model": performance_by_model(answers, seed=seed),
        "model_agreement": agreement,
        "model_agreement_summary": model_agreement_summary(agreement, _chance(bench, maps, models)),
        "model_tests": model_tests(answers, maps, models, seed=seed),
        "changed_answers": changed_answers(answers, models),
    }


def answer_tests(bench: Workbench, answers: pd.DataFrame) -> pd.DataFrame:
    """The rows of `model_tests` about answers, for a check."""
    maps = pd.DataFrame(columns=["method"])
    return model_tests(answers, maps, names_of(answers["model"]), seed=bench.study.seed)


def _compared(bench: Workbench, maps: pd.DataFrame, models: Sequence[str]) -> Iterator[Row]:
    for (question, method, *_), sides in _sides(maps, models):
        a, b = (_read(bench, row) for row in sides)
        common = in_common(a, b)
        if common is not None:
            yield agreement_row(question, method, a, b, common)


def _sides(
    maps: pd.DataFrame, models: Sequence[str]
) -> Iterator[tuple[tuple[str, str, str, str], tuple[Row, Row]]]:
    """Question, method and two models, with the two rows of `maps_by_model` of one image that are compared."""
    for method in names_of(maps["method"]):
        for a, b in pairs_of(models):
            first, second = (
                maps[(maps["method"] == method) & (maps["model"] == model)].to_dict("records")
                for model in (a, b)
            )
            for question in (SAME_CLASS, OWN_ANSWER):
                theirs = {_key(question, row): row for row in second if row[question]}
                for row in first:
                    if row[question] and _key(question, row) in theirs:
                        yield (question, method, a, b), (row, theirs[_key(question, row)])


def _key(question: str, row: Row) -> tuple[str, str]:
    return row["image_id"], row["class_name"] if question == SAME_CLASS else ""


def _read(bench: Workbench, row: Row) -> ModelMap:
    found, mask = read_map(bench, row | {"seed": bench.study.seed})
    return ModelMap(row["model"], row["class_name"], found, mask)


def _chance(bench: Workbench, maps: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """CHANCE of the maps of one class, each method and two models by themselves."""
    by_pair: dict[Pair, list[tuple[Row, Row]]] = {}
    for (question, *pair), sides in _sides(maps, models):
        if question == SAME_CLASS:
            by_pair.setdefault((pair[0], pair[1], pair[2]), []).append(sides)
    found = [pd.DataFrame(columns=list(CHANCE))]
    for (method, a, b), rows in by_pair.items():
        of_pair = _of_pair(bench, rows)
        found.append(of_pair.assign(method=method, model_a=a, model_b=b)[list(CHANCE)])
    return pd.concat(found[1:] or found, ignore_index=True)


def _of_pair(bench: Workbench, rows: Sequence[tuple[Row, Row]]) -> pd.DataFrame:
    """`chance_of_pairs` of two models, called a and b."""
    made_of = {
        "of": "models",
        "maps": [[side["image_id"], side["artifact"]] for sides in rows for side in sides],
    }
    return kept_chance(
        bench,
        made_of,
        OF_PAIRS,
        lambda: chance_of_pairs(_blocks(bench, rows), ("a", "b"), seed=bench.study.seed),
    )


def _blocks(bench: Workbench, rows: Sequence[tuple[Row, Row]]) -> Iterator[list[CaseMaps]]:
    """The maps of two models in their common frames, in blocks of images whose common frames are of one shape."""
    shapes: dict[str, tuple[int, ...]] = {}
    by_image: dict[str, list[tuple[Row, Row]]] = {}
    for a, b in rows:
        common = in_common(_read(bench, a), _read(bench, b))
        if common is not None:
            shapes[a["image_id"]] = common[0].mask.shape
            by_image.setdefault(a["image_id"], []).append((a, b))
    images = list(shapes)
    for block in blocks_of(list(shapes.values()), seed=bench.study.seed):
        yield [
            CaseMaps(int(place), _shown(bench, *sides), {})
            for place in block
            for sides in by_image[images[place]]
        ]


def _shown(bench: Workbench, a: Row, b: Row) -> dict[str, ShownMap]:
    common = in_common(_read(bench, a), _read(bench, b))
    assert common is not None
    shown = {name: ShownMap.of(one.found.values, one.mask) for name, one in zip("ab", common, strict=True)}
    return {name: one for name, one in shown.items() if one is not None}
