"""The similarity functions of CLIP-Dissect, each working on a block of concepts at a time (see `scorer.Scorer`)."""
