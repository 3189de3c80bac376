"""How steps run: the tags that say what a step needs. What it computes does not stand here."""
