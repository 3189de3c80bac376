"""Explainability of image classifiers as Dagster assets, with reports worth filing."""
