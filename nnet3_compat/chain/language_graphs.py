"""Denominator graphs of several languages, each with an output of its own (nnet3/nnet-chain-training2.cc)."""

from __future__ import annotations

from nnet3_compat.chain.denominator_graph import DenominatorGraph
from nnet3_compat.structure.nnet import Nnet


class LanguageGraphs:
    """``FOLDER/LANGUAGE.den.fst`` for the output ``output-LANGUAGE``, read when it is first needed."""

    def __init__(self, folder: str, nnet: Nnet) -> None:
        self._folder, self._nnet = folder, nnet
        self._graphs: dict[str, DenominatorGraph] = {}

    def of(self, output: str) -> DenominatorGraph:
        """Raises KaldiError where the network has no such output, or the file is not there or does not fit it."""
        if output not in self._graphs:
            path = f"{self._folder}/{output.removeprefix('output-')}.den.fst"
            self._graphs[output] = DenominatorGraph.read(path, self._nnet.node_dim(output))
        return self._graphs[output]
