"""nnet-pytorch-linear-to-nbest: twin of linear-to-nbest."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.lattices.lattice import to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.linear import linear_lattice
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT, INT32_VECTOR

USAGE = """Make lattices of a single path from alignments, words and costs; nbest-to-linear takes them apart.
Usage: nnet-pytorch-linear-to-nbest [options] <alignments-rspecifier> <transcriptions-rspecifier> \\
    (<lm-cost-rspecifier>|'') (<ac-cost-rspecifier>|'') <nbest-wspecifier>
e.g.: nnet-pytorch-linear-to-nbest ark:1.ali ark:1.tra ark:1.lmscore ark:1.acscore ark:1.nbest
Costs that are not given are zero."""


def linear_to_nbest(
    alignments_rspecifier: str,
    transcriptions_rspecifier: str,
    lm_cost_rspecifier: str,
    ac_cost_rspecifier: str,
    nbest_wspecifier: str,
) -> int:
    done = 0
    with ExitStack() as stack:
        alignments = stack.enter_context(SequentialReader(alignments_rspecifier, INT32_VECTOR))

        def table(rspecifier: str, holder: Any) -> Any:
            return stack.enter_context(RandomAccessReader(rspecifier, holder)) if rspecifier else None

        tables = [
            ("transcription", table(transcriptions_rspecifier, INT32_VECTOR)),
            ("LM cost", table(lm_cost_rspecifier, FLOAT)),
            ("acoustic cost", table(ac_cost_rspecifier, FLOAT)),
        ]
        writer = stack.enter_context(TableWriter(nbest_wspecifier, COMPACT_LATTICE))
        for key, alignment in alignments:
            for what, reader in tables:
                if reader is not None and key not in reader:
                    raise KaldiError(f"No {what} for key {key}")
            words, graph, acoustic = (None if reader is None else reader[key] for _, reader in tables)
            lattice = linear_lattice(alignment, [] if words is None else words, graph or 0.0, acoustic or 0.0)
            writer.write(key, to_compact(lattice))
            done += 1
    log.info(f"Done {done} n-best entries ,0 had errors.")
    return 0 if done else 1


main = command(linear_to_nbest, usage=USAGE)

if __name__ == "__main__":
    main()
