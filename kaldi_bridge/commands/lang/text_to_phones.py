"""nnet-pytorch-text-to-phones: transcripts as phones, for the phone language model of flat-start training."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.io.text import words
from kaldi_bridge.io.text_files import read_rows
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.transcript_phones import TranscriptPhones
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Write transcripts as phones, with optional silences at random.
Usage: nnet-pytorch-text-to-phones [options] <lang-dir> <text> <phones-wspecifier>
e.g.: nnet-pytorch-text-to-phones data/lang data/train/text ark:- | nnet-pytorch-chain-est-phone-lm ark:- lm.fst"""


@dataclass
class Options:
    """Names of steps/nnet3/chain/e2e/text_to_phones.py."""

    edge_silprob: float = option(0.8, "Probability of optional silence at the beginning and end.")
    between_silprob: float = option(0.2, "Probability of optional silence between the words.")
    srand: int = option(0, "Seed of the random numbers")


def text_to_phones(options: Options, lang_dir: str, text: str, wspecifier: str) -> None:
    phones_of = TranscriptPhones(Lang(lang_dir), options.edge_silprob, options.between_silprob, options.srand)
    done = 0
    with TableWriter(wspecifier, INT32_VECTOR) as writer:
        for utterance, transcript in read_rows(text).items():
            writer.write(utterance, phones_of(words(transcript)))
            done += 1
    log.info(f"Done {done} utterances.")


main = command(text_to_phones, usage=USAGE)

if __name__ == "__main__":
    main()
