"""nnet-pytorch-lattice-copy: twin of lattice-copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import key_and_rest
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE, LatticeHolder
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Copy lattices, all or some of them, possibly in another form.
Usage: nnet-pytorch-lattice-copy [options] <lattice-rspecifier> <lattice-wspecifier>
e.g.: nnet-pytorch-lattice-copy --write-compact=false ark:1.lats ark,t:text.lats"""


@dataclass
class Options:
    """Options of lattice-copy."""

    write_compact: bool = option(True, "If true, write in normal (compact) form.")
    include: str = option("", "Text file: only utterances that start one of its lines are copied")
    exclude: str = option("", "Text file: utterances that start one of its lines are left out")
    ignore_missing: bool = option(False, "Exit with status 0 even if no lattices are copied")


def _first_fields(rxfilename: str) -> set[str]:
    keys = set()
    with open_input(rxfilename) as stream:
        while line := stream.readline():
            key, _ = key_and_rest(line)
            if not key:
                raise KaldiError(f"{stream.where()}: an empty line where an utterance should be named")
            keys.add(key)
    return keys


def lattice_copy(options: Options, lattice_rspecifier: str, lattice_wspecifier: str) -> int:
    if options.include and options.exclude:
        raise KaldiError("should not have both --exclude and --include option!")
    include = _first_fields(options.include) if options.include else None
    exclude = _first_fields(options.exclude) if options.exclude else set()
    holder: LatticeHolder[Any] = COMPACT_LATTICE if options.write_compact else LATTICE
    done = total = 0
    with (
        SequentialReader(lattice_rspecifier, holder) as lattices,
        TableWriter(lattice_wspecifier, holder) as writer,
    ):
        for key, lattice in lattices:
            total += 1
            if (include is None or key in include) and key not in exclude:
                writer.write(key, lattice)
                done += 1
    if include is not None or exclude:
        log.info(f" Wrote {done} out of {total} utterances.")
    else:
        log.info(f"Done copying {done} lattices.")
    return 0 if done or options.ignore_missing else 1


main = command(lattice_copy, usage=USAGE)

if __name__ == "__main__":
    main()
