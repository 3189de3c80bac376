"""Asset checks, a module a chapter: what has to hold of an asset's table before anyone builds on it.

A check looks at tables and says what it found; it computes nothing that the table does not hold. It runs in the step
of its asset, on the study that the step is for. What stops a run is `blocking`; the others are warnings in the UI.
"""
