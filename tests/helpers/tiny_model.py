"""A transition model of two phones of one state each: transition-ids 1 and 2 have pdf 0, and 3 and 4 pdf 1."""

from pathlib import Path

import numpy as np

from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input

TOPOLOGY = """<Topology> <TopologyEntry> <ForPhones> 1 2 </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State> <State> 1 </State> </TopologyEntry> </Topology>
"""


def tiny_model(folder: Path) -> TransitionModel:
    """``folder``: where its topology may be written."""
    path = folder / "topo"
    path.write_text(TOPOLOGY)
    with open_input(str(path)) as stream:
        topology = Topology.read(stream, read_header(stream))
    rows = np.array([(1, 0, 0, 0), (2, 0, 1, 1)], dtype=np.int32)
    return TransitionModel(topology, rows, np.zeros(5, dtype=np.float32))
