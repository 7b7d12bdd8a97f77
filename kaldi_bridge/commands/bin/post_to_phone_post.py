"""nnet-pytorch-post-to-phone-post: twin of post-to-phone-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.posterior import PhonesOfPdfs, to_phones
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.matrix_files import read_vector_file
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import SPARSE_POSTERIOR

USAGE = """Turn posteriors of transition-ids, or of pdfs, into posteriors of phones.
Usage: nnet-pytorch-post-to-phone-post [options] <model> <post-rspecifier> <phone-post-wspecifier>
e.g.: nnet-pytorch-post-to-phone-post 1.mdl 'ark:nnet-pytorch-ali-to-post ark:1.ali ark:- |' ark,t:-"""


@dataclass
class Options:
    """Options of post-to-phone-post."""

    transition_id_counts: str = option(
        "",
        "Vector of the counts of transition-ids, as of post-to-tacc: the posteriors are of pdfs, and go to phones in "
        "the proportion in which these have them",
    )


def post_to_phone_post(options: Options, model_in: str, posteriors: str, wspecifier: str) -> int:
    model = read_transition_model(model_in)
    of_pdfs = None
    if options.transition_id_counts:
        with within(options.transition_id_counts):
            of_pdfs = PhonesOfPdfs(model, read_vector_file(options.transition_id_counts))
    done = 0
    with SequentialReader(posteriors, SPARSE_POSTERIOR) as reader, TableWriter(wspecifier, SPARSE_POSTERIOR) as writer:
        for utterance, posterior in reader:
            with within(f"utterance {utterance}"):
                writer.write(utterance, of_pdfs.posterior(posterior) if of_pdfs else to_phones(model, posterior))
            done += 1
    log.info(f"Done converting posteriors to phone posteriors for {done} utterances.")
    return 0 if done else 1


main = command(post_to_phone_post, usage=USAGE)

if __name__ == "__main__":
    main()
