"""The machine is shared: one thread."""

import torch

torch.set_num_threads(1)
