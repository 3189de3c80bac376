"""The steps of a study as plain functions: each takes a workbench and the tables before it, and returns a table.

Here the science of the lower floor meets a study's parameters and the artifact store: what is computed, under which
key it is kept, and which row it becomes. Nothing here knows Dagster; a notebook can run a study step by step.
What a method computes stands in its own room; when and where it runs stands in `assets`.
"""
