"""nnet-pytorch-lattice-to-kws-index: twin of lattice-to-kws-index."""

from __future__ import annotations

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import EntryError
from kaldi_bridge.kws.keyword_index import KEYWORD_INDEX, IndexOptions, lattice_index
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Make an index of each lattice, of where which words may have been said, for kws-index-union and kws-search.
Lattices are of words, and utterances have numbers in <utter-symtab-rspecifier>.
Usage: nnet-pytorch-lattice-to-kws-index [options] <utter-symtab-rspecifier> <lattice-rspecifier> <index-wspecifier>
e.g.: nnet-pytorch-lattice-to-kws-index ark:utter.symtab ark:1.lats ark:global.idx"""


def lattice_to_kws_index(
    options: IndexOptions, symtab_rspecifier: str, lattice_rspecifier: str, index_wspecifier: str
) -> int:
    options.check()
    loop = TableLoop()
    with (
        SequentialReader(lattice_rspecifier, COMPACT_LATTICE) as lattices,
        TableWriter(index_wspecifier, KEYWORD_INDEX) as writer,
    ):
        utterances = RandomAccessReader(symtab_rspecifier, INT32)
        for key, lattice in lattices:
            log.info(f"Processing lattice {key}")
            with loop.entry(key):
                if key not in utterances:
                    raise EntryError(f"Cannot find utterance id for {key}")
                writer.write(key, lattice_index(lattice, key, utterances[key], options))
    log.info(f"Done {loop.done} lattices, failed for {loop.failed}")
    return loop.status if options.strict else 0


main = command(lattice_to_kws_index, usage=USAGE)

if __name__ == "__main__":
    main()
