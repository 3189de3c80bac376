"""How steps run: tags that say what a step needs, executors, devices. What a step computes does not stand here."""
