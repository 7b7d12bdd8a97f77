"""nnet-pytorch-count-phones: how often phones and pairs of phones occur, for gmm-init-biphone --phone-counts."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.io.integer_sets import write_sets
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.transcript_phones import count_lines
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import INT32_VECTOR

USAGE = """Count phones and pairs of phones, as steps/nnet3/chain/e2e/compute_biphone_stats.py does.
Usage: nnet-pytorch-count-phones [options] <lang-dir> <phones-rspecifier> <counts-out>
e.g.: nnet-pytorch-text-to-phones data/lang data/train/text ark:- | nnet-pytorch-count-phones data/lang ark:- counts"""


@dataclass
class Options:
    """Names of compute_biphone_stats.py."""

    shared_phones: bool = option(True, "Count the phones of a set (sets.int) as one")


def count_phones(options: Options, lang_dir: str, phones: str, counts_out: str) -> None:
    sets = Lang(lang_dir).phone_sets
    if not options.shared_phones:
        sets = [[phone] for phones_of_set in sets for phone in phones_of_set]
    with SequentialReader(phones, INT32_VECTOR) as sequences:
        write_sets(counts_out, count_lines((sequence.tolist() for _, sequence in sequences), sets))


main = command(count_phones, usage=USAGE)

if __name__ == "__main__":
    main()
