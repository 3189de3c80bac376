"""Reading and writing what other tools define: Broden's folder layout, CLIP-Dissect's and NetDissect's result files.

What does not belong here: formats of our own, and any computation on what was read.
"""
