"""nnet-pytorch-lattice-to-phone-lattice: twin of lattice-to-phone-lattice."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import within
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.lattices.phone_labels import phones_for_ids, phones_for_words
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Replace the words, or the transition-ids, of lattices with phones, which the transition-ids tell.
Usage: nnet-pytorch-lattice-to-phone-lattice [options] <model> <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-to-phone-lattice 1.mdl ark:1.lats ark:phones.lats
With --replace-words=false, words stay where they are: after nnet-pytorch-lattice-align-words, the phones of each."""


@dataclass
class Options:
    """Options of lattice-to-phone-lattice."""

    replace_words: bool = option(True, "If true, replace words with phones; otherwise transition-ids.")


def lattice_to_phone_lattice(options: Options, model_in: str, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    model = read_transition_model(model_in)
    convert = phones_for_words if options.replace_words else phones_for_ids
    done = 0
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(lattice_wspecifier, COMPACT_LATTICE) as writer,
    ):
        for key, lattice in lattices:
            with within(f"{lattice_rspecifier}: lattice {key}"):
                writer.write(key, convert(model, lattice))
            done += 1
    log.info(f"Done converting {done} lattices.")
    return 0 if done else 1


main = command(lattice_to_phone_lattice, usage=USAGE)

if __name__ == "__main__":
    main()
