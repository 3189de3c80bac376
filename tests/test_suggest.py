"""What a person probably meant."""

import time

from xai_assets.suggest import did_you_mean

LAYERS = ["layer1", "layer2", "layer3", "layer4", "fc"]


def test_a_misspelt_name_gets_the_nearest_names_first() -> None:
    assert did_you_mean("layr4", LAYERS).startswith(" Did you mean 'layer4'")
    assert did_you_mean("grad_cam", ["gradcam", "lime", "rise"]) == " Did you mean 'gradcam'?"


def test_nothing_is_suggested_where_nothing_is_alike() -> None:
    assert did_you_mean("zebra", LAYERS) == ""
    assert did_you_mean(None, []) == ""
    assert did_you_mean(17, LAYERS) == ""


def test_case_hyphens_and_spaces_count_alike() -> None:
    assert did_you_mean("Class-Names", ["class_names", "image"]) == " Did you mean 'class_names'?"
    assert did_you_mean("fc", ["FC", "layer1"]) == " Did you mean 'FC'?"


def test_no_more_are_named_than_wanted_and_none_twice() -> None:
    said = did_you_mean("layer", [*LAYERS, *LAYERS], most=2)
    assert said.count("layer") == 2


def test_a_name_with_control_characters_is_suggested_harmlessly() -> None:
    assert "\x1b" not in did_you_mean("red", ["re\x1bd"])


def test_a_word_of_a_megabyte_costs_nothing() -> None:
    began = time.process_time()
    assert did_you_mean("x" * 1_000_000, ["x" * 1_000_000]) == ""
    assert time.process_time() - began < 5
