"""What each unit of a network has learned: probe sets, unit activations, CLIP-Dissect, Network Dissection, their tables.

Everything is a function on arrays, a probe set, a classifier and an image-text encoder. What does not belong here:
reading other people's file formats (`interop`), loading networks (`vision`), asking where one decision looked
(`attribution`).
"""
