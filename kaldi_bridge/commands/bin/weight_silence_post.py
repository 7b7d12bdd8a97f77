"""nnet-pytorch-weight-silence-post: twin of weight-silence-post."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.posterior import weight_silence, weight_silence_frames
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.integer_sets import split_integers
from kaldi_bridge.io.text import real_number
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import SPARSE_POSTERIOR

USAGE = """Multiply the posteriors of silence phones by a weight.
Usage: nnet-pytorch-weight-silence-post [options] <silence-weight> <silence-phones> <model> <posteriors-rspecifier>
 <posteriors-wspecifier>
e.g.: nnet-pytorch-weight-silence-post 0.0 1:2:3 1.mdl ark:1.post ark:nosil.post"""


@dataclass
class Options:
    """Options of weight-silence-post."""

    distribute: bool = option(False, "Weight whole frames, by p(silence) * weight + p(other), rather than posteriors")


def weight_silence_post(
    options: Options, silence_weight: str, silence_phones: str, model_in: str, posteriors: str, wspecifier: str
) -> int:
    weight = real_number(silence_weight, "silence weight")
    silence = split_integers(silence_phones, "silence phones")
    if not silence:
        log.warning("No silence phones, this will have no effect")
    model = read_transition_model(model_in)
    weighted = weight_silence_frames if options.distribute else weight_silence
    done = 0
    with SequentialReader(posteriors, SPARSE_POSTERIOR) as reader, TableWriter(wspecifier, SPARSE_POSTERIOR) as writer:
        for utterance, posterior in reader:
            with within(f"utterance {utterance}"):
                writer.write(utterance, weighted(model, posterior, silence, weight))
            done += 1
    log.info(f"Done {done} posteriors.")
    return 0 if done else 1


main = command(weight_silence_post, usage=USAGE)

if __name__ == "__main__":
    main()
