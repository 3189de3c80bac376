"""Labels that are probably wrong: what a model says of an image against its label, told apart from its mistakes.

Confident learning (Northcutt, Jiang and Chuang 2021, doi:10.1613/jair.1.12125) counts an image against its label where
the model is as sure of another class as it is, on average, of images that are labelled so. A model that takes one class
for another fulfils that as well. So two explanations of the labels are weighed here. In the one the model errs as often
as its probabilities say once a temperature has been fitted (Guo et al. 2017, arXiv:1706.04599), and every label is right.
In the other a share of the labels has been exchanged for any other class as well. A mistake of the model mostly has its
true class among the next probable ones; an exchanged label may be a class that the model holds for impossible.

Both are fitted by maximum likelihood. Whether there are exchanged labels at all is decided by their likelihood ratio,
against the ratios of labels that are drawn from the model's own probabilities (parametric bootstrap). Each label then has
a probability of being wrong by Bayes' rule, so that the precision and recall of a list are known in expectation, as far
as the assumption holds: that the model's probabilities are right up to a temperature.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from xai_assets.evaluation.decision import Answer, decide

TEMPERATURES = 2.0 ** np.linspace(-3, 3, 49)
"""What logits are divided by: below 1 the model is surer than it says."""

MOST = 0.5
"""The largest share of exchanged labels that is considered: of more, they say less than the model does."""

WRONG = 0.5
"""A label is suspected where it is more probably wrong than right."""

FEWEST = 20
"""Labelled images that are asked for: a temperature and a share are fitted to them."""

SIMULATIONS = 199
"""Draws of labels from the model's probabilities; the smallest p is 1 / 200."""

WINDOW = 8
"""Temperatures to either side of the fitted one that are tried for drawn labels."""

PROFILE = "profile likelihood"
NONE_FEW = f"none: fewer than {FEWEST} labels"

SUMMARY = ("temperature", "share", "low", "high", "p", "answer", "suspected", "precision", "recall")
"""The attributes of `LabelErrors` that are of all labels."""

_TINY = 1e-45
_STEPS = 25

Chunks = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class LabelErrors:
    """What the labels of a study come to.

    Attributes:
        wrong: n float64, 0..1, of each label the probability that it is wrong; 0 where it is not decided that labels
            are wrong at all.
        temperature: what fits the model's probabilities to the labels; None for fewer labels than FEWEST.
        share: of the labels that are wrong, 0..MOST; None as above.
        low, high: its interval of 95 %, by profile likelihood.
        p: of no wrong label, by parametric bootstrap; None as above.
        answer: YES where some labels are wrong beyond chance, else CANNOT_TELL.
        suspected: labels above WRONG.
        precision: expected share of them that is wrong; None where there are none.
        recall: expected share of the wrong labels that they hold; None where no label is wrong.
    """

    wrong: np.ndarray
    temperature: float | None
    share: float | None
    low: float | None
    high: float | None
    p: float | None
    answer: Answer
    suspected: int
    precision: float | None
    recall: float | None

    @property
    def n(self) -> int:
        """Labelled images."""
        return len(self.wrong)


def label_errors(chunks: Chunks, *, seed: int = 0) -> LabelErrors:
    """Which labels are probably wrong, and whether any is.

    Args:
        chunks: gives, each time it is called, the same probabilities (m k float, rows that sum to 1) and labels (m int)
            of some images at a time; no more than a chunk is held.
        seed: of the draws.
    """
    found = [_of_chunk(probabilities, labels) for probabilities, labels in chunks() if len(labels)]
    n = sum(len(of_label) for of_label, _, _ in found)
    if n < FEWEST:
        return LabelErrors(np.zeros(n), None, None, None, None, None, Answer.CANNOT_TELL, 0, None, None)
    of_label, log_sums = (np.concatenate([chunk[at] for chunk in found]) for at in (0, 1))
    classes = found[0][2]
    log_p = of_label[:, None] / TEMPERATURES - log_sums  # n temperatures
    without, fits = _fits(log_p, classes)
    best = int(fits.likelihood.argmax())
    ratio = float(fits.likelihood[best] - without.max())
    p = _p(chunks, int(without.argmax()), log_sums, ratio, classes, seed)
    share = float(fits.share[best])
    (decided,) = decide([share], [p])
    low, high = _interval(log_p, classes, float(fits.likelihood[best]), share)
    wrong = np.zeros(n)
    if decided.answer is Answer.YES:
        wrong = _wrong(log_p[:, best], share, classes)
    listed = wrong > WRONG
    return LabelErrors(
        wrong,
        float(TEMPERATURES[best]),
        share,
        low,
        high,
        p,
        decided.answer,
        int(listed.sum()),
        float(wrong[listed].mean()) if listed.any() else None,
        float(wrong[listed].sum() / wrong.sum()) if wrong.any() else None,
    )


def _logits(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities.astype(np.float64), _TINY))


def _of_chunk(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Logit of each label (m,), log of the sum of exponentials at each temperature (m t), and the number of classes."""
    logits = _logits(probabilities)
    sums = np.stack([_log_sum(logits / temperature) for temperature in TEMPERATURES], axis=1)
    return logits[np.arange(len(labels)), labels], sums, logits.shape[1]


def _log_sum(logits: np.ndarray) -> np.ndarray:
    highest = logits.max(axis=1, keepdims=True)
    return np.asarray(highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1)))


@dataclass(frozen=True)
class _Fits:
    """Of each temperature, the share of wrong labels that is most likely, and its log likelihood."""

    share: np.ndarray
    likelihood: np.ndarray


def _fits(log_p: np.ndarray, classes: int) -> tuple[np.ndarray, _Fits]:
    """At each temperature (n t): the log likelihood of right labels (t,), and the fits with wrong ones.

    The log likelihood is concave in the share: where its slope at 0 is not above 0, the share is 0, and elsewhere the
    slope is halved until it is 0.
    """
    without = log_p.sum(axis=0)
    p = np.exp(log_p)
    p, q = np.maximum(p, 1e-300), np.maximum((1 - p) / (classes - 1), 1e-300)
    rises = (q / p - 1).sum(axis=0) > 0
    share, likelihood = np.zeros(len(without)), without.copy()
    if rises.any():
        p, change = p[:, rises], (q - p)[:, rises]
        low, high = np.zeros(p.shape[1]), np.full(p.shape[1], MOST)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            up = (change / (p + middle * change)).sum(axis=0) > 0
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        share[rises] = (low + high) / 2
        likelihood[rises] = np.maximum(np.log(p + share[rises] * change).sum(axis=0), without[rises])
    return without, _Fits(share, likelihood)


def _p(chunks: Chunks, at: int, log_sums: np.ndarray, ratio: float, classes: int, seed: int) -> float:
    """Share of draws of right labels whose likelihood ratio is as large (the observed one counted among them)."""
    generator = np.random.default_rng(seed)
    drawn = np.concatenate(
        [_draw(_logits(probabilities), at, generator) for probabilities, labels in chunks() if len(labels)]
    )
    tried = slice(max(0, at - WINDOW), at + WINDOW + 1)
    reached = 1
    for logits in drawn.T:
        without, fits = _fits(logits[:, None] / TEMPERATURES[tried] - log_sums[:, tried], classes)
        reached += bool(fits.likelihood.max() - without.max() >= ratio - 1e-9)
    return reached / (SIMULATIONS + 1)


def _draw(logits: np.ndarray, at: int, generator: np.random.Generator) -> np.ndarray:
    """Logits of classes that are drawn at a temperature: m SIMULATIONS, float64."""
    scaled = logits / TEMPERATURES[at]
    cumulated = np.exp(scaled - _log_sum(scaled)[:, None]).cumsum(axis=1)
    found = np.empty((len(logits), SIMULATIONS))
    for row, sums in enumerate(cumulated):
        classes = np.searchsorted(sums, generator.random(SIMULATIONS) * sums[-1], side="right")
        found[row] = logits[row, np.minimum(classes, len(sums) - 1)]
    return found


def _wrong(log_p: np.ndarray, share: float, classes: int) -> np.ndarray:
    """Of each label the probability that it is wrong, by Bayes' rule."""
    p = np.exp(log_p)
    exchanged = share * (1 - p) / (classes - 1)
    return np.asarray(exchanged / (exchanged + (1 - share) * p + 1e-300))


def _interval(log_p: np.ndarray, classes: int, best: float, share: float) -> tuple[float, float]:
    """The shares whose profile likelihood is within that of 95 %."""
    p = np.maximum(np.exp(log_p), 1e-300)
    change = np.maximum((1 - p) / (classes - 1), 1e-300) - p
    least = best - float(stats.chi2.ppf(0.95, 1)) / 2

    def within(value: float) -> bool:
        return bool(np.log(p + value * change).sum(axis=0).max() >= least)

    return _end(within, share, 0.0), _end(within, share, MOST)


def _end(within: Callable[[float], bool], inside: float, outside: float) -> float:
    if within(outside):
        return outside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if within(middle) else (inside, middle)
    return inside
