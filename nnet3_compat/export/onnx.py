"""Networks as ONNX files.

    data = export_onnx(network, frame_subsampling_factor=3)                          # any N and T
    data = export_onnx(network, frame_subsampling_factor=3, num_outputs=50)          # any N, fixed T

The graph's inputs are ``features`` [N, T, D] and, where the network takes one, ``ivector`` [N, K]; its output is
``output`` [N, T_out, P], valid frames only. The metadata hold the same description as a TorchScript archive
(``nnet_pytorch.json``) and its plain numbers one by one.

Where the layout of a network is affine in the number of output frames (layout.LayoutTable), the graph computes it from
the shape of its input, so T is free. It is not where the network has a recurrence (its loop is unrolled), or where
layouts come in turns and optional inputs matter: such networks need ``num_outputs``.
"""

from __future__ import annotations

import io
import json
import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kaldi_bridge.errors import KaldiError
from nnet3_compat.export.archive import FixedCore, given_inputs
from nnet3_compat.export.description import Description
from nnet3_compat.export.torch_model_file import DESCRIPTION
from nnet3_compat.export.torchscript import check_exportable, describe
from nnet3_compat.network.network import Network
from nnet3_compat.structure.layout import LayoutTable

OPSET = 17


class _AnyLength(nn.Module):
    """What is traced for any T: sizes are taken from the input, and the layout is computed from them.

    Where outputs depend on their context only, short inputs are made longer at the end, by repetition, to a length
    whose layout has settled, and what that adds is dropped. Elsewhere shorter inputs are refused by the graph.
    """

    def __init__(self, network: Network, table: LayoutTable, description: Description) -> None:
        super().__init__()
        self.executor = network.executor(("output",))
        self.table, self.description = table, description

    def forward(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        d, table = self.description, self.table
        context = d.left_context + d.right_context
        # A tensor, which torch.arange and torch.zeros take while they are traced, whatever their annotations say.
        n: Any = torch.as_tensor(features.shape[1] - context - 1) // d.frame_subsampling_factor + 1
        turns = n
        if d.chunk_invariant:
            turns = (n.clamp(min=table.minimum) + (table.period - 1)) // table.period
            frames = (turns * table.period - 1) * d.frame_subsampling_factor + 1 + context
            features = features.index_select(1, torch.arange(frames).clamp(max=features.shape[1] - 1))
        else:
            # There is no tensor of negative size, so this stops the run where the input is too short.
            features = features + torch.zeros([n - table.minimum])[:0].sum()
        base, slope = table.base[0].tolist(), table.slope[0].tolist()
        flat: list[Any] = [b if s == 0 else b + s * turns for b, s in zip(base, slope, strict=True)]
        layout, at = [], 0
        for size in table.sizes:
            layout.append(flat[at : at + size])
            at += size
        output = self.executor(given_inputs(self.executor.input_names, features, ivector), layout)[0]
        return output[:n].transpose(0, 1)


def export_onnx(
    network: Network,
    *,
    frame_subsampling_factor: int = 1,
    extra_left_context: int = 0,
    extra_right_context: int = 0,
    priors: np.ndarray | None = None,
    num_outputs: int = 0,
) -> bytes:
    """An ONNX file, as bytes.

    Args:
        num_outputs: output frames of every call; 0: any number.

    Raises:
        KaldiError: the network cannot be exported for any number of frames, or the package ``onnx`` is missing.
    """
    check_exportable(network)
    description = describe(
        network, frame_subsampling_factor, extra_left_context, extra_right_context, priors, num_outputs
    )
    mode = network.training
    network.eval()
    try:
        if num_outputs > 0:
            layout = network.layout(description.request(num_outputs))
            core: nn.Module = FixedCore(network.executor(("output",)), layout)
            return _trace(core, description, num_outputs)
        table = _table(network, description)
        return _trace(_AnyLength(network, table, description), description, table.minimum + 3 * table.period)
    finally:
        network.train(mode)


def _table(network: Network, description: Description) -> LayoutTable:
    if any(group.direction != 0 for group in network.graph().groups):
        raise KaldiError(
            "this network has a recurrence, which ONNX can hold for a fixed number of frames only: "
            "give --frames-per-chunk (from Python: num_outputs)"
        )
    table = network.layout_table(description.request(1))
    if table is None or (table.period > 1 and not description.chunk_invariant):
        raise KaldiError(
            "what this network reads depends on the number of frames in a way that ONNX can hold for a fixed number "
            "only: give --frames-per-chunk (from Python: num_outputs)"
        )
    return table


def _trace(core: nn.Module, description: Description, num_outputs: int) -> bytes:
    try:
        import onnx
    except ImportError as error:
        raise KaldiError("ONNX files need the package onnx: pip install nnet-pytorch[onnx]") from error
    d = description
    device = next((p.device for p in core.parameters()), torch.device("cpu"))
    features = torch.randn(2, d.frames_in(num_outputs), d.input_dim, device=device)
    names, inputs = ["features"], [features]
    axes: dict[str, dict[int, str]] = {"features": {0: "N"}, "output": {0: "N"}}
    if d.ivector_dim:
        names.append("ivector")
        inputs.append(torch.randn(2, d.ivector_dim, device=device))
        axes["ivector"] = {0: "N"}
    if not d.num_outputs:
        axes["features"][1], axes["output"][1] = "T", "T_out"
    core.eval()
    out: Any = io.BytesIO()  # written to with dynamo=False, though the annotation knows paths only
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # that sizes become numbers is meant
        torch.onnx.export(
            _Call(core, bool(d.ivector_dim)),
            tuple(inputs),
            out,
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=["output"],
            dynamic_axes=axes,
        )
    model = onnx.load_from_string(out.getvalue())
    model.producer_name = "nnet-pytorch"
    numbers = {k: v for k, v in json.loads(d.to_json()).items() if isinstance(v, (int, str))}
    if isinstance(core, _AnyLength) and not d.chunk_invariant:
        numbers["minimum_num_outputs"] = core.table.minimum
    for key, value in {**numbers, DESCRIPTION: d.to_json()}.items():
        item = model.metadata_props.add()
        item.key, item.value = key, str(value)
    return model.SerializeToString()


class _Call(nn.Module):
    """Tells the tracer how many inputs there are."""

    def __init__(self, core: nn.Module, with_ivector: bool) -> None:
        super().__init__()
        self.core, self.with_ivector = core, with_ivector

    def forward(self, features: Tensor, ivector: Tensor | None = None) -> Tensor:
        return self.core(features, ivector)
