"""Statistics of batch normalisation measured anew: those of other weights make units die or saturate."""

from collections.abc import Callable, Iterator, Sequence

from torch import nn

Norm = nn.modules.batchnorm._BatchNorm


def norms_with_statistics(network: nn.Module, *, first: str | None = None) -> list[Norm]:
    """The modules of batch normalisation that keep running statistics, in order of registration.

    Args:
        network: any.
        first: the path of a module; those registered before it are left out.
    """
    return [
        module
        for module in _from(network, first)
        if isinstance(module, Norm) and module.track_running_stats and module.running_mean is not None
    ]


def measure_anew(norms: Sequence[Norm], run: Callable[[], None]) -> None:
    """Replace the running statistics, in place, by their plain mean over the batches of `run`.

    While it runs, these modules normalise by the batch, so that each layer is measured on what the layers before it now
    give. They are in evaluation mode afterwards.

    Args:
        norms: of `norms_with_statistics`.
        run: passes batches through the network.
    """
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches
            norm.train()
        run()
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()


def _from(network: nn.Module, first: str | None) -> Iterator[nn.Module]:
    begun = first is None
    for path, module in network.named_modules():
        begun = begun or path == first
        if begun:
            yield module
