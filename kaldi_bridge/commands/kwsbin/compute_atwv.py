"""nnet-pytorch-compute-atwv: twin of compute-atwv."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option, write_stdout
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import encode, real_number
from kaldi_bridge.kws.scoring import AlignerOptions, Term, TwvOptions, align_terms, csv_lines, term_weighted_values
from kaldi_bridge.tables import SequentialReader
from kaldi_bridge.tables.holders import DOUBLE_LIST

USAGE = """Compute term-weighted values of keywords that were found: actual, supreme, maximum and oracle ones. Tables
have lines of a keyword, the number of an utterance, the first and the last frame, and a score, which is a probability.
Usage: nnet-pytorch-compute-atwv [options] <seconds-of-sound> <ref-rspecifier> <hyp-rspecifier> [<alignment-csv>]
e.g.: nnet-pytorch-compute-atwv 32485.4 ark:ref.1 ark:hyp.1 ali.csv"""


@dataclass
class Options(AlignerOptions, TwvOptions):
    """Options of compute-atwv."""

    frames_per_sec: int = option(
        100, "Number of feature vector frames per second. This is used only when writing the alignment to a file"
    )


def compute_atwv(options: Options, seconds_in: str, said_in: str, found_in: str, alignment_out: str = "") -> None:
    seconds = real_number(seconds_in, "seconds of sound")
    if not seconds > 0:
        raise KaldiError("The duration is either negative or zero")
    if options.frames_per_sec <= 0:
        raise KaldiError(f"--frames-per-sec={options.frames_per_sec} must be greater than zero")
    said, found = _terms(said_in), _terms(found_in)
    log.info(f"Read {len(found)} hypotheses")
    log.info(f"Read {len(said)} references")
    aligned = align_terms(said, found, options.max_distance)
    log.info(f"Alignment size before adding unseen: {len(found)}")
    log.info(f"Alignment size after  adding unseen: {len(aligned)}")
    values = term_weighted_values(aligned, seconds, options)
    if alignment_out:
        with open_output(alignment_out) as stream:
            stream.write(encode("".join(f"{line}\n" for line in csv_lines(aligned, options.frames_per_sec))))
    figures = {
        "ATWV": values.actual,
        "STWV": values.supreme,
        "MTWV": values.maximum,
        "MTWV threshold": values.threshold,
        "OTWV": values.oracle,
    }
    # As Kaldi spells it, since scripts look for it.
    write_stdout("".join(f"aproximate {name} = {value:.4f}\n" for name, value in figures.items()))


def _terms(rspecifier: str) -> list[Term]:
    with SequentialReader(rspecifier, DOUBLE_LIST) as reader:
        return [Term.of_row(keyword, row) for keyword, row in reader]


main = command(compute_atwv, usage=USAGE)

if __name__ == "__main__":
    main()
