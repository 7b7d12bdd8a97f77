"""The text of nnet3-info and nnet3-am-info, which recipes parse."""

from __future__ import annotations

from kaldi_bridge.io.basic_io import format_float
from nnet3_compat.model.am_nnet import AmNnet
from nnet3_compat.model.whole_network import num_parameters
from nnet3_compat.structure.context import compute_context, is_simple, modulus
from nnet3_compat.structure.nnet import Nnet


def nnet_info(nnet: Nnet) -> str:
    """Contexts, number of parameters, modulus, nodes with their dimensions, components; one a line."""
    lines = []
    if is_simple(nnet):
        left, right = compute_context(nnet)
        lines += [f"left-context: {left}", f"right-context: {right}"]
    lines += [f"num-parameters: {num_parameters(nnet)}", f"modulus: {modulus(nnet)}"]
    lines += nnet.config_lines(include_dim=True)
    lines += [f"component name={name} type={component.info()}" for name, component in nnet.components.items()]
    return "".join(f"{line}\n" for line in lines)


def am_info(model: AmNnet) -> str:
    """Dimensions and priors, then what nnet_info gives."""
    priors = model.priors
    lines = [
        f"input-dim: {model.nnet.input_dim('input')}",
        f"ivector-dim: {model.nnet.input_dim('ivector')}",
        f"num-pdfs: {model.num_pdfs}",
        f"prior-dimension: {priors.size}",
    ]
    if priors.size:
        figures = (("sum", priors.sum()), ("min", priors.min()), ("max", priors.max()))
        lines += [f"prior-{name}: {format_float(float(value), 6)}" for name, value in figures]
    lines.append("# Nnet info follows.")
    return "".join(f"{line}\n" for line in lines) + nnet_info(model.nnet)
