"""Removing what no output depends on."""

from __future__ import annotations

from kaldi_bridge import log
from nnet3_compat.structure.nnet import InputNode, Nnet, orphan_components, orphan_nodes


def remove_orphan_nodes(nnet: Nnet, inputs_too: bool = False) -> None:
    """Drops nodes that no output depends on; input nodes stay unless ``inputs_too``."""
    orphans = {name for name in orphan_nodes(nnet) if inputs_too or not isinstance(nnet.node(name), InputNode)}
    nnet.nodes = [node for node in nnet.nodes if node.name not in orphans]
    nnet.check(warn_for_orphans=False)
    log.info(f"Removed {len(orphans)} orphan nodes.")


def remove_orphan_components(nnet: Nnet) -> None:
    """Drops components that no node uses."""
    orphans = orphan_components(nnet)
    log.info(f"Removing {len(orphans)} orphan components.")
    for name in orphans:
        del nnet.components[name]
