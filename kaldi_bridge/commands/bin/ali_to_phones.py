"""nnet-pytorch-ali-to-phones: twin of ali-to-phones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.hmm.phone_sequence import phones_of
from kaldi_bridge.hmm.transition_model import TransitionModel, read_transition_model
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_PAIR_VECTOR, INT32_VECTOR

USAGE = """Convert alignments (transition-ids) to phones.
Usage: nnet-pytorch-ali-to-phones [options] <model> <alignments-rspecifier> <phones-wspecifier|ctm-wxfilename>
e.g.: nnet-pytorch-ali-to-phones 1.mdl ark:1.ali ark:-
or:   nnet-pytorch-ali-to-phones --ctm-output 1.mdl ark:1.ali 1.ctm"""


@dataclass
class Options:
    """Options of ali-to-phones."""

    ctm_output: bool = option(False, "If true, output the alignments in ctm format (the confidences will be set to 1)")
    frame_shift: float = option(0.01, "frame shift used to control the times of the ctm output")
    per_frame: bool = option(False, "If true, write out the frame-level phone alignment (else phone sequence)")
    write_lengths: bool = option(False, "If true, write the #frames for each phone (different format)")


def _aligned(model: TransitionModel, rspecifier: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Utterances, their phones and how long these are."""
    with SequentialReader(rspecifier, INT32_VECTOR) as reader:
        for utterance, alignment in reader:
            with within(f"{rspecifier}: utterance {utterance}"):
                phones, lengths = phones_of(model, alignment)
            yield utterance, phones, lengths


def ali_to_phones(options: Options, model_in: str, alignments_rspecifier: str, output: str) -> int:
    if options.per_frame and options.write_lengths:
        raise KaldiError("Incompatible options: --per-frame and --write-lengths")
    model = read_transition_model(model_in)
    done = 0
    aligned = _aligned(model, alignments_rspecifier)
    if options.ctm_output:
        digits = 2 if options.frame_shift >= 0.01 else 3
        with open_output(output) as stream:
            for utterance, phones, lengths in aligned:
                ends = np.cumsum(lengths)
                for phone, length, end in zip(phones.tolist(), lengths.tolist(), ends.tolist(), strict=True):
                    start = f"{options.frame_shift * (end - length):.{digits}f}"
                    duration = f"{options.frame_shift * length:.{digits}f}"
                    stream.write(encode(f"{utterance} 1 {start} {duration} {phone}\n"))
                done += 1
    else:
        holder: Any = INT32_PAIR_VECTOR if options.write_lengths else INT32_VECTOR
        with TableWriter(output, holder) as writer:
            for utterance, phones, lengths in aligned:
                value: Any = phones
                if options.write_lengths:
                    value = list(zip(phones.tolist(), lengths.tolist(), strict=True))
                elif options.per_frame:
                    value = np.repeat(phones, lengths)
                writer.write(utterance, value)
                done += 1
    log.info(f"Done {done} utterances.")
    return 0


main = command(ali_to_phones, usage=USAGE)

if __name__ == "__main__":
    main()
