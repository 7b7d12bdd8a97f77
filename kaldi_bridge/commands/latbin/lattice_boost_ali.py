"""nnet-pytorch-lattice-boost-ali: twin of lattice-boost-ali."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.io.integer_sets import split_integers
from kaldi_bridge.lattices.costs import boost_errors
from kaldi_bridge.lattices.lattice import to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Lower graph costs of lattices by --b for each frame of another phone than the alignment's, for boosted MMI.
Silence in the lattices is no error, or one of --max-silence.
Usage: nnet-pytorch-lattice-boost-ali [options] <model> <lattice-rspecifier> <alignment-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-boost-ali --silence-phones=1:2:3 --b=0.05 1.mdl ark:1.lats ark:1.ali ark:boosted.lats"""


@dataclass
class Options:
    """Options of lattice-boost-ali."""

    b: float = option(0.05, "Boosting factor (more -> more boosting of errors / larger margin)")
    max_silence: float = option(0.0, "Error of a frame of silence: 0 as in the paper on boosted MMI, 1 as other phones")
    silence_phones: str = option("", "Colon-separated list of integer ids of silence phones, e.g. 46:47")


def lattice_boost_ali(options: Options, model_in: str, lattices: str, alignments: str, wspecifier: str) -> int:
    silence = split_integers(options.silence_phones, "silence phones")
    if not silence:
        log.warning("No silence phones specified, make sure this is what you intended.")
    if not 0.0 <= options.max_silence <= 1.0:
        raise KaldiError(f"--max-silence={options.max_silence:g} is not between 0 and 1")
    model = read_transition_model(model_in)
    loop, missing = TableLoop(), 0
    with (
        SequentialReader(lattices, LATTICE) as reader,
        RandomAccessReader(alignments, INT32_VECTOR) as references,
        TableWriter(wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in reader:
            if lattice.start < 0:
                loop.fail(f"Empty lattice for utterance {key}")
                continue
            if options.b and key not in references:
                log.warning(f"No alignment for utterance {key}")
                missing += 1
                continue
            with loop.entry(key, f"utterance {key}"):
                if options.b:
                    lattice = boost_errors(lattice, model, references[key], silence, options.b, options.max_silence)
                writer.write(key, to_compact(lattice))
    log.info(f"Done {loop.done} lattices, missing alignments for {missing}, other errors on {loop.failed}")
    return loop.status


main = command(lattice_boost_ali, usage=USAGE)

if __name__ == "__main__":
    main()
