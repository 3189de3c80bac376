"""What an asset of measures looks like, in one picture and the sentences that go with it."""

import pandas as pd

from xai_assets.analysis.faithfulness import faithfulness_curves
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.comparison import curve_means
from xai_assets.reporting.faithfulness import BASELINES, mean_curves
from xai_assets.reporting.measures import agreement
from xai_assets.reporting.narrative import count
from xai_assets.reporting.plates import agreement_plate, curves_plate
from xai_assets.reporting.results import StudyResults


def agreement_chart(bench: Workbench, table: pd.DataFrame, summary: pd.DataFrame) -> tuple[bytes, str] | None:
    """A PNG of the mean IoU of every pair of methods, and what it says; None where there are no pairs.

    Args:
        bench: of the study.
        table: rows of the table `mask_agreement`.
        summary: rows of the table `agreement_summary`.
    """
    if not len(table):
        return None
    study = {"name": bench.study.name, "title": bench.study.title, "seed": bench.study.seed}
    chapter = agreement(StudyResults(study=study, mask_agreement=table, agreement_summary=summary))
    said = (
        f"Mean IoU of the masks over {count(chapter['images'], 'image')}, and below it that of masks of different "
        f"images. {chapter['sentence']}"
    )
    return agreement_plate(chapter["methods"], chapter["pairs"]), said


def curves_chart(bench: Workbench, table: pd.DataFrame) -> tuple[bytes, str] | None:
    """A PNG of the mean perturbation curves, and how to read it; None where none were measured.

    Args:
        bench: of the study.
        table: rows of the table `faithfulness`.
    """
    measured = curve_means(faithfulness_curves(bench, table))
    panels = [panel for panel in (mean_curves(measured, name) for name in BASELINES) if panel["lines"]]
    if not panels:
        return None
    images = count(panels[0]["images"], "image")
    said = (
        f"The class's probability as pixels are removed, mean over {images}. Whole lines: the most "
        f"relevant pixels of the map first; dashed: the least relevant."
    )
    return curves_plate(panels), said
