"""The study's concept list: what is left out is said, what cannot be used is refused."""

from types import SimpleNamespace

import pytest

from xai_assets.analysis.embeddings import concept_words
from xai_assets.analysis.workbench import Tally
from xai_assets.errors import XaiError


def bench(tmp_path, text):
    (tmp_path / "words.txt").write_text(text, encoding="utf-8")
    return SimpleNamespace(
        dissection=SimpleNamespace(concepts="words.txt"),
        file=SimpleNamespace(resolve=tmp_path.joinpath),
        tally=Tally(),
    )


def test_words_keep_their_order_and_blank_lines_are_passed_over(tmp_path):
    quiet = bench(tmp_path, "zebra\n\n  dog \ncat\n")
    assert concept_words(quiet) == [("zebra", ""), ("dog", ""), ("cat", "")]
    assert not quiet.tally.problems


def test_a_concept_that_is_named_again_is_left_out_and_said(tmp_path):
    noted = bench(tmp_path, "dog\ncat\n\ndog\n")
    assert concept_words(noted) == [("dog", ""), ("cat", "")]
    (problem,) = noted.tally.problems
    assert problem == "words.txt, line 4: it names 'dog' again, as line 1 did"


@pytest.mark.parametrize(
    ("text", "match"),
    [("", "it is empty"), ("\n \n", "it is empty"), ("dog\ndog\n", "names 'dog' only")],
)
def test_lists_without_a_choice_are_refused(tmp_path, text, match):
    with pytest.raises(XaiError, match=match):
        concept_words(bench(tmp_path, text))


def test_a_missing_list_is_named(tmp_path):
    missing = bench(tmp_path, "")
    missing.dissection.concepts = "none.txt"
    with pytest.raises(XaiError, match=r"none\.txt: does not exist"):
        concept_words(missing)


def test_spellings_that_are_alike_are_kept_and_told(tmp_path):
    noted = bench(tmp_path, "dog\nDog\ncat\n")
    assert [word for word, _ in concept_words(noted)] == ["dog", "Dog", "cat"]
    (problem,) = noted.tally.problems
    assert "words.txt, line 2: it names 'Dog', which line 1 spells 'dog'" in problem
