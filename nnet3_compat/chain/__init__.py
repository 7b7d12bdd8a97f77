"""LF-MMI, Kaldi's chain objective (Povey et al., Interspeech 2016).

    from nnet3_compat.chain import ChainLoss, ChainOptions, DenominatorGraph

Names are imported when they are first used: programs that make graphs and examples never import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaldi_bridge.lazy import lazy_names

if TYPE_CHECKING:
    from nnet3_compat.chain.denominator_graph import DenominatorGraph
    from nnet3_compat.chain.loss import ChainLoss
    from nnet3_compat.chain.objective import ChainObjective, chain_objective
    from nnet3_compat.chain.options import ChainOptions

__all__ = ["ChainLoss", "ChainObjective", "ChainOptions", "DenominatorGraph", "chain_objective"]
__getattr__ = lazy_names(
    __name__,
    {
        "ChainLoss": "loss",
        "ChainObjective": "objective",
        "ChainOptions": "options",
        "DenominatorGraph": "denominator_graph",
        "chain_objective": "objective",
    },
)
