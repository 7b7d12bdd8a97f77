"""nnet-pytorch-nbest-to-linear: twin of nbest-to-linear."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError
from kaldi_bridge.lattices.lattice_files import LATTICE
from kaldi_bridge.lattices.linear import word_path
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Take lattices of a single path apart: alignments, words, LM and acoustic costs.
Usage: nnet-pytorch-nbest-to-linear [options] <nbest-rspecifier> <alignments-wspecifier> \\
    [<transcriptions-wspecifier> [<lm-cost-wspecifier> [<ac-cost-wspecifier>]]]
e.g.: nnet-pytorch-lattice-to-nbest --n=10 ark:1.lats ark:- | nnet-pytorch-nbest-to-linear ark:- ark,t:1.ali ark,t:1.tra
"""


def nbest_to_linear(
    nbest_rspecifier: str,
    alignments_wspecifier: str,
    transcriptions_wspecifier: str = "",
    lm_cost_wspecifier: str = "",
    ac_cost_wspecifier: str = "",
) -> int:
    loop = TableLoop(nbest_rspecifier)
    outputs: list[tuple[str, Any]] = [
        (alignments_wspecifier, INT32_VECTOR),
        (transcriptions_wspecifier, INT32_VECTOR),
        (lm_cost_wspecifier, FLOAT),
        (ac_cost_wspecifier, FLOAT),
    ]
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(nbest_rspecifier, LATTICE))
        writers = [stack.enter_context(TableWriter(name, holder)) if name else None for name, holder in outputs]
        for key, lattice in lattices:
            with loop.entry(key):
                try:
                    ids, words, costs = word_path(lattice)
                except EntryError:
                    raise EntryError(
                        f"Lattice/nbest for key {key} had wrong format: note, this program expects input with one "
                        "path, e.g. from lattice-to-nbest."
                    ) from None
                for writer, value in zip(writers, (ids, words, *costs), strict=True):
                    if writer:
                        writer.write(key, value)
    log.info(f"Done {loop.done} n-best entries, {loop.failed} had errors.")
    return loop.status


main = command(nbest_to_linear, usage=USAGE)

if __name__ == "__main__":
    main()
