"""From the lines of an xconfig to layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.text import strip
from nnet3_compat.structure.nnet import ComponentNode, InputNode, Nnet
from nnet3_compat.xconfig import attention, basic, convolution, gru, lstm, residual, statistics, tdnnf, trivial  # noqa: F401 - they register
from nnet3_compat.xconfig.layer import LAYERS, ExistingLayer, Layer
from nnet3_compat.xconfig.line import parse_line


def parse_xconfig(lines: Iterable[str], existing: Sequence[ExistingLayer] = ()) -> list[Layer]:
    """The layers of an xconfig, in order; ``existing``: nodes of a model that it builds upon (see existing_layers).

    Raises KaldiError naming the line.
    """
    layers: list[Layer] = []
    for line in lines:
        try:
            parsed = parse_line(line)
            if parsed is None:
                continue
            layer_type, values = parsed
            if layer_type not in LAYERS:
                raise KaldiError(f"there is no layer type {layer_type}")
            layers.append(LAYERS[layer_type](layer_type, values, [*existing, *layers]))
        except KaldiError as error:
            raise KaldiError(f"{error}, in the xconfig line: {strip(line)}") from None
    if not layers:
        raise KaldiError("the xconfig has no layers")
    return layers


def existing_layers(nnet: Nnet) -> list[ExistingLayer]:
    """The nodes of a model as layers that an xconfig can name."""
    layers = []
    for node in nnet.nodes:
        if isinstance(node, InputNode | ComponentNode):
            layers.append(ExistingLayer("existing", {"name": node.name, "dim": str(nnet.node_dim(node.name))}, []))
    return layers
