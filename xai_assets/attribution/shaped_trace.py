"""Tracing a network whose code looks at shapes: every value of the graph knows what it is for images of one size.

`torch.fx` runs a network's code on symbols, and stops where the code wants a number: `math.ceil(width / stride)`,
`assert x.ndim == 4`, `for row in range(height)`. Here each symbol carries what the operation gives for two batches
of different length, computed on tensors without data. What is the same for both (height, width, channels, number of
axes) is given to the code as a plain number; what differs (whatever grows with the batch) stays a symbol. So the graph
is one of images of this size, and of any number of them. Code that looks at the values themselves is still refused.
"""

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.node import map_aggregate

BATCHES = (5, 7)
"""Two lengths that no other axis of a network is likely to have both of."""

_PLAIN = (bool, int, float, str, type(None), torch.dtype, torch.device, torch.layout)
_SEQUENCES = (tuple, list, torch.Size)


class NamingTracer(fx.Tracer):
    """Notes which node each module's output is, the last one where it is called several times."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[str, fx.Node] = {}

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        """What a module gives, noted by its path."""
        output = super().call_module(m, forward, args, kwargs)
        if isinstance(output, fx.Proxy):
            self.outputs[self.path_of_module(m)] = output.node
        return output


class _Shaped(fx.Proxy):
    """A symbol that knows its values for both batches."""

    tracer: "ShapedTracer"

    def __getattr__(self, name: str) -> Any:
        first, second = self.tracer.values[self.node]
        if callable(getattr(first, name)) and callable(getattr(second, name)):
            return fx.proxy.Attribute(self, name)  # a method: what it gives is known when it is called
        return self.tracer.create_proxy("call_function", getattr, (self, name), {})

    def __len__(self) -> int:
        first, second = (len(value) for value in self.tracer.values[self.node])
        return first if first == second else super().__len__()

    def __iter__(self) -> Iterator[Any]:
        first, second = self.tracer.values[self.node]
        if isinstance(first, Tensor) and first.ndim and first.shape[0] == second.shape[0]:
            return iter([operator.getitem(self, index) for index in range(first.shape[0])])
        return super().__iter__()


class ShapedTracer(NamingTracer):
    """Traces a network of one argument for images of the size of `image` (1 3 h w)."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.values: dict[fx.Node, tuple[Any, Any]] = {}
        self._without_data = FakeTensorMode(allow_non_fake_inputs=True)
        with self._without_data:
            self._images = [
                torch.empty((length, *image.shape[1:]), dtype=image.dtype, device=image.device)
                for length in BATCHES
            ]
        self._weights: dict[str, Tensor] = {}
        self._evaluating = False

    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> fx.Graph:
        """The graph of a network in evaluation mode."""
        self._weights = {
            **dict(root.named_parameters(remove_duplicate=False)),
            **dict(root.named_buffers(remove_duplicate=False)),
        }
        return super().trace(root, concrete_args)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """An attribute of a module: a symbol for a weight."""
        if self._evaluating:  # weights as they are, for a module that is one step of the graph
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """The symbol of a node."""
        return _Shaped(node, self)

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        """What a module gives: a symbol, or tensors without data where a step is being computed."""
        if self._evaluating:  # a part of a module that is one step of the graph
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def create_proxy(
        self, kind: str, target: Any, args: Any, kwargs: Any, *names: Any, **options: Any
    ) -> Any:
        """The symbol of a step; what it gives where that is a number known by now; for a sequence, one of these."""
        first, second = (self._value(kind, target, args, kwargs, batch) for batch, _ in enumerate(BATCHES))
        if type(first) in _PLAIN and type(first) is type(second) and first == second:
            return first
        symbol = super().create_proxy(kind, target, args, kwargs, *names, **options)
        self.values[symbol.node] = (first, second)
        if type(first) in _SEQUENCES and len(first) == len(second):
            return tuple(
                self.create_proxy("call_function", operator.getitem, (symbol, index), {})
                for index in range(len(first))
            )
        return symbol

    def _value(self, kind: str, target: Any, args: Any, kwargs: Any, batch: int) -> Any:
        if kind == "placeholder":
            return args[0] if args else self._images[batch]  # an argument with a default, or the images

        def known(value: Any) -> Any:
            return self.values[value.node][batch] if isinstance(value, fx.Proxy) else value

        given, options = map_aggregate(args, known), map_aggregate(kwargs, known)
        if kind == "get_attr":
            return self._weights[target]
        self._evaluating = True
        try:
            with torch.no_grad(), self._without_data:
                if kind == "call_module":
                    return self.root.get_submodule(target).forward(*given, **options)
                if kind == "call_method":
                    return getattr(given[0], target)(*given[1:], **options)
                return target(*given, **options)
        finally:
            self._evaluating = False
