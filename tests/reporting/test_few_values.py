"""A report says of its intervals of few values what they do not promise."""

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import build
from xai_assets.reporting.few_values import few_values
from xai_assets.reporting.pictures import Pictures


def interval(n, low=0.1):
    return {"mean": 0.5, "low": low, "high": None if low is None else 0.9, "n": n}


def test_the_fewest_that_have_an_interval_are_named():
    (said,) = few_values({"a": [interval(12), {"b": interval(6)}, interval(8)]})
    assert (
        said.startswith("Some 95% intervals here are of 6 images or words") and "8 to 9 times in 10" in said
    )
    assert few_values({"a": [interval(12), interval(10)]}) == []
    assert (
        few_values({"a": interval(4, low=None), "b": interval(3)}) == []
    )  # exact intervals cover at every n


def test_it_stands_on_the_front_page_of_six_images_and_not_of_twelve():
    six, twelve = (
        build("comparison", plausible(*images, layers=SMALL), Pictures())["limits"]
        for images in ((5, 1), (9, 3))
    )
    assert any("intervals here are of 6 images" in said for said in six)
    assert not any("of 12 images or words" in said for said in twelve)
