"""All that training as recipes call it takes, of made-up data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kaldi_bridge.fsts.fst import write_fst
from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from tests.helpers.made_up_data import DIM, NUM_PDFS, MadeUpData, any_pdfs

XCONFIG = f"""input dim={DIM} name=input
relu-batchnorm-layer name=tdnn1 dim=12 input=Append(-1,0,1)
output-layer name=output include-log-softmax=false dim={NUM_PDFS}
output-layer name=output-xent input=tdnn1 dim={NUM_PDFS}
"""
PHONES = " ".join(str(phone) for phone in range(1, NUM_PDFS + 1))
TOPOLOGY = f"""<Topology> <TopologyEntry> <ForPhones> {PHONES} </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State> <State> 1 </State> </TopologyEntry> </Topology>
"""


def make_speech(folder: Path, count: int = 24, growth: int = 7) -> Path:
    """``data``, targets of both kinds (``supervision.scp``, ``ali``), ``den.fst``, ``network.xconfig``."""
    made = MadeUpData(folder, count, growth)
    (folder / "network.xconfig").write_text(XCONFIG)
    write_fst(str(folder / "den.fst"), any_pdfs())
    (folder / "topo").write_text(TOPOLOGY)
    with open_input(str(folder / "topo")) as stream:
        topology = Topology.read(stream, read_header(stream))
    phones = np.arange(NUM_PDFS)
    model = TransitionModel(topology, np.stack([phones + 1, 0 * phones, phones, phones], 1))
    ali = folder / "ali"
    ali.mkdir()
    with open_output(str(ali / "final.mdl")) as stream:
        write_header(stream, True)
        model.write(stream, True)
    (ali / "tree").write_text("a tree\n")
    (ali / "phones.txt").write_text("<eps> 0\n")
    ids = {pdf: int(np.flatnonzero(model.id_to_pdf == pdf)[0]) for pdf in range(NUM_PDFS)}
    with TableWriter(f"ark:| gzip -c > {ali}/ali.1.gz", INT32_VECTOR) as writer:
        for name, pdfs in made.pdfs.items():
            writer.write(name, np.array([ids[pdf] for pdf in pdfs.tolist()], np.int32))
    return folder
