"""Training examples through pipes: our programs beside Kaldi's, where those are on the PATH (beside_kaldi.py)."""

from __future__ import annotations

import os
import tempfile

import numpy as np
from beside_kaldi import ROUNDS, compare, seconds

from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, RAW_CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.cutting import frame_indexes
from kaldi_bridge.examples.frame_examples import EXAMPLE, RAW_EXAMPLE, NnetExample, NnetIo
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.output_stream import Pieces
from kaldi_bridge.io.sparse import SparseMatrix
from kaldi_bridge.tables import TableWriter

MEGABYTES = 200
DISTINCT = 300

CHAIN = {
    "copy": "{0}chain-copy-egs ark:EGS ark:/dev/null",
    "copy, frames shifted": "{0}chain-copy-egs --frame-shift=1 ark:EGS ark:/dev/null",
    "shuffle": "{0}chain-shuffle-egs --buffer-size=5000 ark:EGS ark:/dev/null",
    "merge": "{0}chain-merge-egs --minibatch-size=64 ark:EGS ark:/dev/null",
    "copy | shuffle | merge": "{0}chain-copy-egs --frame-shift=1 ark:EGS ark:- | "
    "{0}chain-shuffle-egs --buffer-size=5000 ark:- ark:- | "
    "{0}chain-merge-egs --minibatch-size=64 ark:- ark:/dev/null",
}
PLAIN = {
    "copy": "{0}copy-egs ark:EGS ark:/dev/null",
    "shuffle": "{0}shuffle-egs --buffer-size=5000 ark:EGS ark:/dev/null",
    "merge": "{0}merge-egs --minibatch-size=256 ark:EGS ark:/dev/null",
    "copy | shuffle | merge": "{0}copy-egs ark:EGS ark:- | {0}shuffle-egs --buffer-size=5000 ark:- ark:- | "
    "{0}merge-egs --minibatch-size=256 ark:- ark:/dev/null",
}


def features(random: np.random.Generator, frames: int, dim: int) -> CompressedMatrix:
    return CompressedMatrix.compress(random.standard_normal((frames, dim), np.float32))


def supervision(random: np.random.Generator, frames: int, pdfs: int) -> Supervision:
    """Two states for most frames, between which all arcs go."""
    arcs = []
    before = [0]
    number = 1
    for frame in range(frames):
        after = [number] if frame % 3 == 0 or frame == frames - 1 else [number, number + 1]
        number += len(after)
        for s in before:
            for t in after:
                label = int(random.integers(1, pdfs + 1))
                arcs.append((s, label, label, float(random.random()), t))
        before = after
    return Supervision(1.0, 1, frames, pdfs, Fst.from_arcs(0, {number - 1: 0.0}, arcs))


def chain_example(random: np.random.Generator) -> ChainExample:
    """A chunk of 140 frames with context, an i-vector and a supervision for every third frame."""
    inputs = [
        NnetIo("input", frame_indexes(-17, 169), features(random, 169, 40)),
        NnetIo("ivector", frame_indexes(0, 1), features(random, 1, 100)),
    ]
    output = ChainOutput("output", frame_indexes(0, 47, 3), supervision(random, 47, 3000), np.ones(47, np.float32))
    return ChainExample(inputs, [output])


def plain_example(random: np.random.Generator) -> NnetExample:
    """Eight frames with context, an i-vector and a pdf for each."""
    rows = [(random.integers(0, 3000, 1).astype(np.int32), np.ones(1, np.float32)) for _ in range(8)]
    return NnetExample(
        [
            NnetIo("input", frame_indexes(-16, 36), features(random, 36, 40)),
            NnetIo("ivector", frame_indexes(0, 1), features(random, 1, 100)),
            NnetIo("output", frame_indexes(0, 8), SparseMatrix.from_rows(rows, 3000)),
        ]
    )


def write_examples(path: str, chain: bool) -> None:
    """Some examples, again and again."""
    random = np.random.default_rng(0)
    distinct = []
    for _ in range(DISTINCT):
        pieces = Pieces("memory")
        if chain:
            CHAIN_EXAMPLE.write(pieces, True, chain_example(random))
        else:
            EXAMPLE.write(pieces, True, plain_example(random))
        distinct.append(pieces.data())
    with TableWriter(f"ark:{path}", RAW_CHAIN_EXAMPLE if chain else RAW_EXAMPLE) as writer:
        written, count = 0, 0
        while written < MEGABYTES * 1_000_000:
            writer.write(f"utterance{count:07}-0", distinct[count % DISTINCT])
            written += len(distinct[count % DISTINCT])
            count += 1


def main() -> None:
    start = min(seconds("nnet-pytorch-chain-copy-egs ark:/dev/null ark:/dev/null || true")[0] for _ in range(ROUNDS))
    print(f"start of one of our programs: {start:.2f} s, which the figures include")
    with tempfile.TemporaryDirectory() as directory:
        for kind, commands in (("chain", CHAIN), ("plain", PLAIN)):
            path = f"{directory}/{kind}.ark"
            write_examples(path, kind == "chain")
            these = {name: command.replace("EGS", path) for name, command in commands.items()}
            compare(kind, these, "nnet3-chain-merge-egs", "nnet3-", os.path.getsize(path) / 1e6)
            os.unlink(path)


if __name__ == "__main__":
    main()
