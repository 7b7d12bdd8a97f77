"""nnet-pytorch-fsts-union: twin of fsts-union."""

from __future__ import annotations

import itertools

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.fsts.openfst import OpenFst
from kaldi_bridge.fsts.rational import union
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Make one FST of those that have the same key and follow each other in the table: what any of them accepts,
determinized, minimized and without epsilons.
Usage: nnet-pytorch-fsts-union [options] <fsts-rspecifier> <fsts-wspecifier>
e.g.: nnet-pytorch-fsts-union ark:keywords_tmp.fsts ark,t:keywords.fsts"""


def fsts_union(fsts_rspecifier: str, fsts_wspecifier: str) -> int:
    read = written = 0
    with SequentialReader(fsts_rspecifier, FST) as reader, TableWriter(fsts_wspecifier, FST) as writer:
        for key, entries in itertools.groupby(reader, key=lambda entry: entry[0]):
            fsts = [fst for _, fst in entries]
            read += len(fsts)
            with within(f"key {key}"):
                writer.write(key, OpenFst.of(union(*fsts)).determinized().minimized().without_epsilons().fst())
            written += 1
    log.info(f"Applied fst union on {read} FSTs, produced {written} FSTs")
    return 0 if written else 1


main = command(fsts_union, usage=USAGE)

if __name__ == "__main__":
    main()
