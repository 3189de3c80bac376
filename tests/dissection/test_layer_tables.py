"""What layers and pairs of models come to: known counts, decisions, and what is said of nothing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from xai_assets.dissection.category_comparison import category_comparison
from xai_assets.dissection.presence_summary import presence_summary
from xai_assets.dissection.units_beyond_chance import units_beyond_chance

FACTS = {
    "networks": 20, "found_network": 9, "found_shuffled": 2, "p_network": 1 / 21, "presence_tested": 0.7,
    "p_presence": 0.01, "presence_seen": 0.7, "presence_shuffled": 0.5, "p_presence_network": 1 / 21,
    "chance_presence": 0.25, "base_rate": 0.1,
}  # fmt: skip


def layer(name="l", words="aabbccddee", model="m", **changed):
    values = np.linspace(0.2, 0.9, len(words))
    table = {"model": model, "layer": name, "unit": range(len(words)), "concept": list(words), "dead": False}
    return pd.DataFrame(
        table | {"q": 0.01, "beyond_chance": True, "truth_presence": values} | FACTS | changed
    )


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, "yes"),
        ({"networks": 0, "p_presence_network": np.nan}, "yes"),
        ({"p_presence_network": 0.3}, "cannot_tell"),
        ({"networks": 4, "p_presence_network": 0.2}, "cannot_tell"),
        ({"p_presence": 0.2}, "cannot_tell"),
        ({"presence_tested": 0.1}, "no"),
    ],
)
def test_words_are_present_where_they_beat_other_orders_and_shuffled_networks(changed, answer):
    (row,) = presence_summary(layer(**changed)).to_dict("records")
    assert row["answer"] == answer and (row["units"], row["n"], row["excluded"]) == (10, 5, 0)
    assert row["mean"] == pytest.approx(0.55)
    # five words of two units each: the t interval of five means
    means = np.linspace(0.2, 0.9, 10).reshape(5, 2).mean(1)
    reach = stats.t.ppf(0.975, 4) * means.std(ddof=1) / np.sqrt(5)
    assert (row["low"], row["high"]) == pytest.approx((0.55 - reach, 0.55 + reach))
    assert (row["chance"], row["base_rate"]) == (0.25, 0.1)


def test_the_layers_of_a_model_are_one_family():
    both = pd.concat([layer("early", p_presence=0.03), layer("late", p_presence=0.02), layer("l", model="n")])
    found = presence_summary(both).set_index(["model", "layer"])
    assert found.loc["m", "p_holm"].tolist() == pytest.approx([0.04, 0.04])
    assert found["family_size"].tolist() == [2, 2, 1]
    assert presence_summary(layer(truth_presence=np.nan)).empty and presence_summary(pd.DataFrame()).empty


def test_units_beyond_chance_are_counted_of_active_units_and_few_networks_tell_nothing():
    words = layer(dead=[False] * 9 + [True], beyond_chance=[True] * 4 + [False] * 6, q=[0.01] * 6 + [0.9] * 4)
    labels = layer(detector=[True] * 2 + [False] * 8, beyond_chance=[True] + [False] * 9)
    found = units_beyond_chance(words, labels).set_index("method")
    counts = ["living", "named", "beyond_images", "beyond", "networks"]
    assert found.loc["clip_dissect", counts].tolist() == [9, 9, 6, 4, 20]
    assert found.loc["netdissect", counts].tolist() == [10, 2, 2, 1, 20]
    assert (found["answer"] == "yes").all()
    few = units_beyond_chance(layer(networks=4, p_network=0.2, beyond_chance=False), pd.DataFrame()).iloc[0]
    assert (few["answer"], few["fewest_networks"], few["beyond_images"]) == ("cannot_tell", 20, 10)


def test_categories_of_two_models_are_told_by_words_and_not_by_units():
    words = [f"scene {at}" for at in range(10)]

    def model(name, units):
        table = pd.DataFrame(
            {"model": name, "layer": "late", "unit": range(len(units)), "concept": units, "dead": False}
        )
        return table.assign(category=table["concept"].str.split().str[0], beyond_chance=True)

    # Ten scenes more in one model; and one object that has many units.
    both = pd.concat(
        [model("a", [*(3 * words), *["object 0"] * 5]), model("b", [*words, *["object 0"] * 25])]
    )
    found = category_comparison(both, pd.DataFrame()).set_index("category")
    assert found.loc["scene", ["answer", "n", "units_a", "units_b"]].tolist() == ["yes", 10, 30, 10]
    assert found.loc["scene", "p"] == pytest.approx(2 / 1024)
    assert found.loc["object", "answer"] == "cannot_tell" and found.loc["object", "n"] == 1
    assert found.loc["scene", "difference"] == pytest.approx(30 / 35 - 10 / 35)
    swapped = category_comparison(both[::-1], pd.DataFrame())
    assert swapped.set_index("category").loc["scene", "answer"] == "no"
    assert category_comparison(both[both["model"] == "a"], pd.DataFrame()).empty
