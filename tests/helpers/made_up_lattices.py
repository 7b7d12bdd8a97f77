"""Small inputs of discriminative training: a model of four phones, random features, alignments and lattices.

    python -m tests.helpers.made_up_lattices FOLDER

writes what the kept outputs of Kaldi's programs in tests/nnet3_compat/discriminative are of.
"""

import sys
from pathlib import Path

import numpy as np

from kaldi_bridge.hmm.topology import Topology
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.io.basic_io import read_header, write_header
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.lattices.lattice import Lattice
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, INT32_VECTOR

PHONES, DIM = 4, 5
TOPOLOGY = """<Topology> <TopologyEntry> <ForPhones> 1 2 3 4 </ForPhones>
<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State>
<State> 1 <PdfClass> 1 <Transition> 1 0.5 <Transition> 2 0.5 </State> <State> 2 </State> </TopologyEntry> </Topology>
"""
FRAMES = {"a-1": 40, "a-2": 20, "b-1": 30, "b-2": 54}


def model(folder: Path) -> TransitionModel:
    """Of six pdfs: phones 3 and 4 share theirs."""
    path = folder / "topo"
    path.write_text(TOPOLOGY)
    with open_input(str(path)) as stream:
        topology = Topology.read(stream, read_header(stream))
    pdfs = {1: (0, 1), 2: (2, 3), 3: (4, 5), 4: (4, 5)}
    rows = np.array([(phone, s, pdfs[phone][s], pdfs[phone][s]) for phone in pdfs for s in (0, 1)], dtype=np.int32)
    return TransitionModel(topology, rows, np.log(np.full(17, 0.5, np.float32)))


def lattice(random: np.random.Generator, frames: int, ids: int, alignment: np.ndarray) -> Lattice:
    """A few states at each time, all on a path; some epsilons and words. Most of the alignment is there."""
    sizes = [1, *random.integers(1, 4, frames - 1), 1]
    firsts = np.concatenate([[0], np.cumsum(sizes)])
    arcs: list[list[tuple[int, int, float, float, int]]] = [[] for _ in range(firsts[-1])]

    def add(source: int, target: int, label: int) -> None:
        word = int(random.integers(1, 9)) if random.random() < 0.2 else 0
        arcs[source].append((label, word, float(random.gamma(1.0)), float(random.normal(20.0, 5.0)), target))

    for t in range(frames):
        here, after = range(firsts[t], firsts[t + 1]), range(firsts[t + 1], firsts[t + 2])
        if random.random() < 0.85:
            add(here[0], after[0], int(alignment[t]))
        for source in here:
            for target in random.choice(after, random.integers(1, len(after) + 1), replace=False):
                add(source, int(target), int(random.integers(1, ids + 1)))
        for target in after:
            add(int(random.choice(here)), target, int(random.integers(1, ids + 1)))
        for source, target in zip(here, here[1:], strict=False):
            if random.random() < 0.3:
                arcs[source].append((0, 0, float(random.gamma(1.0)), 0.0, target))
    finals = [None] * (firsts[-1] - 1) + [(0.5, 0.0)]
    return Lattice.from_lists(0, arcs, finals)


def write(folder: Path) -> None:
    """model, feats.ark, ivectors.ark, ali.ark and lat.ark in ``folder``."""
    made, random = model(folder), np.random.default_rng(11)
    with open_output(str(folder / "model")) as stream:
        write_header(stream, True)
        made.write(stream, True)
    with (
        TableWriter(f"ark:{folder}/feats.ark", FLOAT_MATRIX) as features,
        TableWriter(f"ark:{folder}/ivectors.ark", FLOAT_MATRIX) as ivectors,
        TableWriter(f"ark:{folder}/ali.ark", INT32_VECTOR) as alignments,
        TableWriter(f"ark:{folder}/lat.ark", LATTICE) as lattices,
    ):
        for key, frames in FRAMES.items():
            features.write(key, random.normal(size=(frames, DIM)).astype(np.float32))
            ivectors.write(key, random.normal(size=(frames // 10 + 1, 2)).astype(np.float32))
            alignment = random.integers(1, made.num_transition_ids + 1, frames).astype(np.int32)
            alignments.write(key, alignment)
            lattices.write(key, lattice(random, frames, made.num_transition_ids, alignment))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
