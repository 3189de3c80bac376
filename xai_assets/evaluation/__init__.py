"""What a map is worth: pure functions on arrays, and tables made of them. Every number has its chance level.

Here belong overlap, localisation, controls, statistics, and the declared record of each metric.
Not here: making maps and masks (`attribution`), and what a report says about the numbers (`reporting`).
"""
