"""nnet-pytorch-ali-to-pdf: twin of ali-to-pdf."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.hmm.alignments import pdfs_of
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.integer_batches import integer_batches

USAGE = """Convert alignments (transition-ids) to pdf-ids.
Usage: nnet-pytorch-ali-to-pdf [options] <model> <alignments-rspecifier> <pdfs-wspecifier>
e.g.: nnet-pytorch-ali-to-pdf 1.mdl ark:1.ali ark,t:-"""


@dataclass
class Options:
    """No options of its own."""


def ali_to_pdf(options: Options, model_in: str, alignments: str, pdfs: str) -> int:
    model = read_transition_model(model_in)
    done = 0
    with SequentialReader(alignments, INT32_VECTOR) as reader, TableWriter(pdfs, INT32_VECTOR) as writer:
        for batch in integer_batches(reader):
            writer.write_packed(batch.keys, batch.with_values(pdfs_of(model, batch, alignments)).packed())
            done += len(batch.keys)
    log.info(f"Converted {done} alignments to pdf sequences.")
    return 0


main = command(ali_to_pdf, usage=USAGE)

if __name__ == "__main__":
    main()
