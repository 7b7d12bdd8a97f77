"""nnet-pytorch-lattice-combine: twin of lattice-combine."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.lattices.combination import normalized, union, weights_of
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.scale_options import InverseScaleOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter

USAGE = """Combine the lattices of several systems, each with a weight, before decoding with minimum Bayes risk.
Usage: nnet-pytorch-lattice-combine [options] <lattice-rspecifier1> <lattice-rspecifier2> \\
    [<lattice-rspecifier3> ...] <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-combine --inv-acoustic-scale=10 ark:1.lats ark:2.lats ark:- |
  nnet-pytorch-lattice-mbr-decode ark:- ark,t:1.tra
The scales stay in the lattices that are written."""


@dataclass
class Options(InverseScaleOptions):
    """Options of lattice-combine."""

    lm_scale: float = option(1.0, "Scaling factor for graph costs (language model and transition probabilities)")
    lat_weights: str = option("", "Colon-separated weights of the systems, which should sum to 1, e.g. 0.2:0.8")


def lattice_combine(options: Options, first_rspecifier: str, second_rspecifier: str, third: str, *rest: str) -> int:
    arguments = [second_rspecifier, third, *rest]
    others, wspecifier = arguments[:-1], arguments[-1]
    weights = weights_of(options.lat_weights, len(others) + 1)
    acoustic = options.acoustic()
    utterances = total = done = missing = errors = 0
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(first_rspecifier, COMPACT_LATTICE))
        readers = [stack.enter_context(RandomAccessReader(name, COMPACT_LATTICE)) for name in others]
        writer = stack.enter_context(TableWriter(wspecifier, COMPACT_LATTICE))
        for key, lattice in lattices:
            utterances += 1
            total += 1
            try:
                combined = normalized(lattice, weights[0], acoustic, options.lm_scale)
            except EntryError as error:
                log.warning(f"Could not normalize lattice for system 1, utterance: {key}: {error}")
                errors += 1
                continue
            for system, (name, reader) in enumerate(zip(others, readers, strict=True), 2):
                if key not in reader:
                    log.warning(f"No lattice found for utterance {key} for system {system}, rspecifier: {name}")
                    missing += 1
                    continue
                total += 1
                try:
                    other = normalized(reader[key], weights[system - 1], acoustic, options.lm_scale)
                except EntryError as error:
                    log.warning(f"Could not normalize lattice for system {system}, utterance: {key}: {error}")
                    errors += 1
                    continue
                combined = union(combined, other)
            writer.write(key, combined)
            done += 1
    log.info(
        f"Processed {utterances} utterances: with a total of {total} lattices across {len(weights)} different systems"
    )
    log.info(
        f"Produced output for {done} utterances; {missing} total missing lattices and {errors} total lattices "
        "had errors in processing."
    )
    return 0 if done and missing < done - missing else 1


main = command(lattice_combine, usage=USAGE)

if __name__ == "__main__":
    main()
