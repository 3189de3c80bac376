"""What layers and models come to, from the tables of single units."""

import math
from functools import cache
from itertools import combinations

import numpy as np

from tests.conftest import CHECKOUT
from tests.rederived import formulas
from tests.rederived.compared import Found, records

LEVEL, FEWEST_NETWORKS = 0.05, 20


def clusters(values, names):
    """Sum and size of each cluster, of the values that are known."""
    known = np.isfinite(values)
    codes = {name: at for at, name in enumerate(dict.fromkeys(np.array(names, object)[known]))}
    at = np.array([codes[name] for name in np.array(names, object)[known]], int)
    return np.bincount(at, values[known], len(codes)), np.bincount(at, minlength=len(codes)).astype(float)


def jackknife_error(sums, sizes):
    left = formulas.without_each(lambda a, b: a.sum() / b.sum(), sums, sizes)
    return math.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())


def clustered_mean(sums, sizes, bounds=(0, 1)):
    """The jackknife, with the degrees of freedom of Bell & McCaffrey 2002 from the covariance of residuals."""
    n = len(sums)
    if n < formulas.FEWEST_VALUES:
        return formulas.NOTHING
    mean, error = sums.sum() / sizes.sum(), jackknife_error(sums, sizes)
    if error <= 1e-12 * max(1.0, abs(mean)):
        return formulas.NOTHING
    share = sizes / sizes.sum()
    residuals = np.diag(1 / (1 - share)) @ (np.eye(n) - np.outer(share, np.ones(n)))
    covariance = residuals @ np.diag(share) @ residuals.T
    freedom = max(1.0, np.trace(covariance) ** 2 / np.trace(covariance @ covariance))
    reach = formulas.stats.t.ppf((1 + formulas.LEVEL) / 2, freedom) * error
    return formulas.cut((mean - reach, mean + reach), bounds)


def clustered_share(values, names):
    """Korn & Graubard 1998: the exact interval of as many units as would have the jackknife's standard error."""
    sums, sizes = clusters(np.asarray(values, float), names)
    n, units = len(sums), sizes.sum()
    if n < 2:
        return (float(sums.sum() / units) if n else None), formulas.NOTHING, n
    share, error = sums.sum() / units, jackknife_error(sums, sizes)
    effective = min(units, share * (1 - share) / error**2) if 0 < share < 1 and error > 0 else float(n)
    t_units, t_clusters = (formulas.stats.t.ppf((1 + formulas.LEVEL) / 2, of - 1) for of in (units, n))
    effective *= (t_units / t_clusters) ** 2
    return float(share), formulas.exact_share(share * effective, effective), n


def presence_summary(tables, found: Found):
    """`clip_dissect` has the table's own facts of the permutation test where it is the method's own table."""
    clip, rows = tables["clip_dissect"], records(tables["presence_summary"])
    for row in rows:
        own = clip[(clip["model"] == row["model"]) & (clip["layer"] == row["layer"])]
        living = own[own["concept"].notna() & ~own["dead"].astype(bool)]
        values = living["truth_presence"].astype(float).to_numpy()
        sums, sizes = clusters(values, living["concept"])
        low, high = clustered_mean(sums, sizes)
        expected = {
            "units": int(np.isfinite(values).sum()), "mean": float(np.nanmean(values)), "low": low, "high": high,
            "n": len(sums), "excluded": int(np.isnan(values).sum()),
            "base_rate": float(living["base_rate"].astype(float).mean()),
        }  # fmt: skip
        chance = own["chance_presence"].dropna()
        expected["chance"] = float(chance.iloc[0]) if len(chance) else None
        if "p_presence" in own:
            fact = records(own)[0]
            expected |= {
                "p": fact["p_presence"], "difference": fact["presence_tested"] - expected["chance"],
                "seen": fact["presence_seen"], "shuffled": fact["presence_shuffled"], "networks": fact["networks"],
                "p_network": fact["p_presence_network"],
            }  # fmt: skip
        found.check(f"presence_summary {row['model']} {row['layer']}", row, expected)
    for model in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == model]
        corrected = formulas.holm([row["p"] for row in own])
        for row, p_holm in zip(own, corrected, strict=True):
            told = formulas.answer(row["difference"], p_holm)
            beaten = row["networks"] and not (row["p_network"] is not None and row["p_network"] < LEVEL)
            expected = {"p_holm": p_holm, "family_size": sum(p is not None for p in corrected)}
            expected["answer"] = "cannot_tell" if told == "yes" and beaten else told
            found.check(f"presence_summary {model} {row['layer']}", row, expected)


def units_beyond_chance(tables, found: Found):
    for row in records(tables["units_beyond_chance"]):
        of = tables[row["method"]]
        own = of[(of["model"] == row["model"]) & (of["layer"] == row["layer"])]
        living = own[~own["dead"].astype(bool)]
        named = living[living["concept"].notna()]
        if row["method"] == "netdissect":
            named = named[named["detector"].fillna(False).astype(bool)]
        beyond = int(own["beyond_chance"].fillna(False).astype(bool).sum())
        told = beyond and (not row["networks"] or row["p_network"] < LEVEL)
        expected = {
            "living": len(living), "named": len(named), "beyond_images": int((named["q"] < LEVEL).sum()),
            "beyond": beyond, "fewest_networks": FEWEST_NETWORKS, "answer": "yes" if told else "cannot_tell",
        }  # fmt: skip
        found.check(f"units_beyond_chance {row['model']} {row['layer']} {row['method']}", row, expected)


def _last(table, model):
    own = table[table["model"] == model]
    return own[own["layer"] == list(dict.fromkeys(own["layer"]))[-1]]


def meaning(word):
    """A word by the first name of its line in the reviewed list; spelt in lower case, with blanks only."""
    return _first_names().get(_spelt(word), _spelt(word))


def _spelt(word):
    for mark in "/_-":
        word = word.removesuffix("-s").removesuffix("-c") if mark == "-" else word
        word = word.replace(mark, " ")
    return " ".join(word.lower().split())


@cache
def _first_names():
    lines = (
        (CHECKOUT / "xai_assets" / "dissection" / "word_matches.txt").read_text(encoding="utf-8").splitlines()
    )
    lists = [[_spelt(name) for name in line.split(",")] for line in lines if line.strip() and line[0] != "#"]
    return {name: names[0] for names in lists for name in names}


def category_comparison(tables, found: Found):
    """Of units beyond chance in last layers; words of one meaning are one."""
    rows = records(tables["category_comparison"])
    for method in dict.fromkeys(row["method"] for row in rows):
        table = tables[method]
        for a, b in combinations(dict.fromkeys(table["model"]), 2):
            own = [row for row in rows if (row["method"], row["model_a"], row["model_b"]) == (method, a, b)]
            sides = [_last(table, model) for model in (a, b)]
            for row in own:
                _category(row, sides, found)
            found.family(f"category_comparison {method}", own, lambda row: row["difference"])


def _category(row, sides, found: Found):
    expected, words = {}, []
    for side, units in zip("ab", sides, strict=True):
        counted = units["concept"].notna() & units["beyond_chance"].fillna(False).astype(bool)
        if "detector" in units:
            counted &= units["detector"].fillna(False).astype(bool)
        holds = (counted & (units["category"] == row["category"])).to_numpy()
        meanings = [meaning(word) if isinstance(word, str) else word for word in units["concept"]]
        names = np.where(counted, np.array(meanings, object), [f"unit {i}" for i in range(len(units))])
        share, ends, _ = clustered_share(holds.astype(float), names)
        expected |= {f"units_{side}": int(holds.sum()), f"all_{side}": len(units), f"share_{side}": share}
        expected |= {f"low_{side}": ends[0], f"high_{side}": ends[1]}
        words.append({name: (names[holds] == name).sum() / len(units) for name in set(names[holds])})
    different = sorted(set(words[0]) | set(words[1]))
    p, within = formulas.sign_flips([words[0].get(name, 0) - words[1].get(name, 0) for name in different])
    low, high = formulas.newcombe(
        expected["share_a"], (expected["low_a"], expected["high_a"]),
        expected["share_b"], (expected["low_b"], expected["high_b"]), (-1, 1),
    )  # fmt: skip
    expected |= {"difference": expected["share_a"] - expected["share_b"], "low": low, "high": high}
    where = f"category_comparison {row['method']} {row['category']}"
    found.check(where, row, expected | {"n": len(different), "p": p}, {"p": within})


def category_agreement(tables, found: Found):
    clip, net = (
        tables[name].set_index(["model", "layer", "unit"]) for name in ("clip_dissect", "netdissect")
    )
    words = clip["concept"].dropna().to_dict()
    labels = net[net["detector"].fillna(False).astype(bool) & net["concept"].notna()]
    for row in records(tables["category_agreement"]):
        own = labels[labels["category"] == row["category"]]
        own = [
            (key, concept)
            for key, concept in own["concept"].items()
            if key[0] == row["model"] and row["layer"] in (None, key[1])
        ]
        judged = [(meaning(words[key]) == meaning(concept), concept) for key, concept in own if key in words]
        share, ends, n = clustered_share(
            [float(is_) for is_, _ in judged], [concept for _, concept in judged]
        )
        expected = {
            "detectors": len(own), "named": len(judged), "agree": sum(is_ for is_, _ in judged), "agreement": share,
            "low": ends[0], "high": ends[1], "n": n,
        }  # fmt: skip
        found.check(f"category_agreement {row['model']} {row['layer']} {row['category']}", row, expected)
