"""nnet-pytorch-post-to-pdf-post: twin of post-to-pdf-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.posterior import to_pdfs
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import SPARSE_POSTERIOR

USAGE = """Turn posteriors of transition-ids into posteriors of pdfs.
Usage: nnet-pytorch-post-to-pdf-post [options] <model> <post-rspecifier> <pdf-post-wspecifier>
e.g.: nnet-pytorch-post-to-pdf-post 1.mdl ark:1.post ark:-"""


@dataclass
class Options:
    """No options of its own."""


def post_to_pdf_post(options: Options, model_in: str, posteriors: str, wspecifier: str) -> int:
    model = read_transition_model(model_in)
    done = 0
    with SequentialReader(posteriors, SPARSE_POSTERIOR) as reader, TableWriter(wspecifier, SPARSE_POSTERIOR) as writer:
        for utterance, posterior in reader:
            with within(f"utterance {utterance}"):
                writer.write(utterance, to_pdfs(model, posterior))
            done += 1
    log.info(f"Done converting posteriors to pdf-level posteriors for {done} utterances.")
    return 0


main = command(post_to_pdf_post, usage=USAGE)

if __name__ == "__main__":
    main()
