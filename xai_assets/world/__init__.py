"""Diorama: a rendered picture world whose truth is known.

Here belongs what decides a scene (`description`), draws it with its exact labels (`render`), changes one
thing in it (`counterfactual`), says it in words (`captions`, `concepts`) and writes it in published layouts
(`broden`). What does not belong here: networks (`training` makes the shipped weights, `vision` loads them)
and anything that measures an explanation.
"""
