"""Networks that take an i-vector per utterance, made to take one every so many frames."""

from __future__ import annotations

import copy
import dataclasses

from nnet3_compat.structure.descriptors import Descriptor, ReplaceIndex, Round
from nnet3_compat.structure.nnet import ComponentNode, Nnet


def with_ivector_period(nnet: Nnet, period: int) -> Nnet:
    """``ReplaceIndex(ivector, t, 0)`` becomes ``Round(ivector, period)`` (ModifyNnetIvectorPeriod).

    A new network that shares components with the given one.
    """
    changed = copy.copy(nnet)
    changed.nodes = [
        dataclasses.replace(node, input=_changed(node.input, period)) if isinstance(node, ComponentNode) else node
        for node in nnet.nodes
    ]
    return changed


def _changed(descriptor: Descriptor, period: int) -> Descriptor:
    if isinstance(descriptor, ReplaceIndex) and descriptor.var == "t" and descriptor.value == 0:
        return Round(descriptor.arg, period)
    return descriptor.with_children(tuple(_changed(child, period) for child in descriptor.children()))
