"""nnet-pytorch-compute-vad-from-frame-likes: twin of compute-vad-from-frame-likes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError, KaldiError
from kaldi_bridge.features.voice_decisions import likeliest_labels, read_label_map
from kaldi_bridge.io.text import real_number
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Label each frame with the class of the greatest likelihood (of fgmm-global-get-frame-likes for each class).
Usage: nnet-pytorch-compute-vad-from-frame-likes [options] <likes-rspecifier-1> ...
 <likes-rspecifier-n> <vad-wspecifier>
e.g.: nnet-pytorch-compute-vad-from-frame-likes --map=labels scp:likes1.scp scp:likes2.scp ark:vad.ark"""


@dataclass
class Options:
    """Options of compute-vad-from-frame-likes."""

    map: str = option("", "File with lines of the number of a class, from 0 on, and its label, if another one")
    priors: str = option("", "Prior probabilities of the classes, with commas between; default: all the same")


def compute_vad_from_frame_likes(options: Options, first: str, second: str, third: str, *more: str) -> int:
    arguments = [first, second, third, *more]
    rspecifiers, wspecifier = arguments[:-1], arguments[-1]
    labels = {number: number for number in range(len(rspecifiers))}
    if options.map:
        labels |= {number: label for number, label in read_label_map(options.map, 2)}
    if len(labels) > len(rspecifiers):
        raise KaldiError(f"{options.map}: Map table has {len(labels)} classes. Expected {len(rspecifiers)} or fewer")
    priors = _log_priors(options.priors, len(rspecifiers))
    loop = TableLoop()
    with ExitStack() as stack:
        reader = stack.enter_context(SequentialReader(rspecifiers[0], FLOAT_VECTOR))
        others = [stack.enter_context(RandomAccessReader(other, FLOAT_VECTOR)) for other in rspecifiers[1:]]
        writer = stack.enter_context(TableWriter(wspecifier, FLOAT_VECTOR))
        for utterance, likelihoods in reader:
            with loop.entry(utterance):
                if not len(likelihoods):
                    raise EntryError(f"Empty vector for utterance {utterance}")
                if not all(utterance in other for other in others):
                    raise EntryError(f"No vector for utterance {utterance}")
                of_classes = [likelihoods, *(other[utterance] for other in others)]
                writer.write(utterance, likeliest_labels(of_classes, priors, labels))
    log.info(
        f"Applied frame-level likelihood-based voice activity detection; processed {loop.done} utterances "
        f"successfully; {loop.failed} had empty features."
    )
    return loop.status


def _log_priors(text: str, classes: int) -> np.ndarray:
    if not text:
        return np.full(classes, -np.log(classes))
    priors = np.array([real_number(word, "a prior probability in --priors") for word in text.split(",")])
    if len(priors) != classes:
        raise KaldiError(f"{len(priors)} priors specified. Expected {classes}")
    return np.log(priors)


main = command(compute_vad_from_frame_likes, usage=USAGE)

if __name__ == "__main__":
    main()
