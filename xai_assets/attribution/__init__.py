"""Where did a classifier look: one method a module, each giving a raw map in the model's frame.

Here belong class activation maps, LIME, the parameters a study may give them, and how a map becomes a mask.
Not here: what a map is worth (`evaluation`), loading models and images (`vision`), keeping maps
(`resources`).
"""
