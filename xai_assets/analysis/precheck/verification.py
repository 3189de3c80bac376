"""What a study's `verify` is going to cost, and what the published libraries have no counterpart of."""

from collections.abc import Iterator, Mapping

from xai_assets.analysis.map_keys import parameters_of
from xai_assets.analysis.precheck.found import Found
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.attribution.verification import library_passes, without_counterpart

WHAT = "verification"


def verified(bench: Workbench, channels: Mapping[str, int], cases: int) -> Iterator[Found]:
    """The forward passes that the libraries will take, and methods whose parameters they do not have.

    Args:
        bench: the study.
        channels: of the target layer, by method; of LIME 0. Methods that the run would refuse are not among them.
        cases: image and class pairs that will be explained, as far as they are known.
    """
    asked = bench.attribution.verify
    if asked is None:
        return
    compared, passes, maps = [], 0, min(asked.maps, cases)
    for method in bench.attribution.methods.made():
        if method not in channels or method not in (asked.methods or channels):
            continue
        parameters = parameters_of(bench, method, "")
        if why := without_counterpart(method, parameters):
            yield Found(WHAT, "look", f"{method} will not be compared: {why}")
            continue
        compared.append(method)
        samples = parameters.most_samples if isinstance(parameters, LimeParameters) else None
        passes += maps * library_passes(method, samples, channels[method])
    if compared:
        of = f"{maps} map{'s' * (maps != 1)} of {'each of ' * (len(compared) > 1)}{', '.join(compared)}"
        yield Found(WHAT, "ok", f"for {of} the libraries make about {passes:,} forward passes")
