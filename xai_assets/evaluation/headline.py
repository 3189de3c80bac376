"""Which of a study's numbers are its headlines: those of a report's front page and of the end of a run."""

LOCALIZATION = ("average_precision", "iou")
"""Metrics of the explained object; the first needs no threshold, and is what the verdict is about."""

FAITHFULNESS = ("srg", "blur")
"""Metric and baseline: by chance 0 for every model and baseline."""

AGREEMENT = "iou"
"""Metric of the agreement of masks."""

DECISIVE = ("centre", "edges")
"""Controls that a method has to be above to show more than a guess about where things are."""
