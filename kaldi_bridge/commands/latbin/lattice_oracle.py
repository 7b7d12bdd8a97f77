"""nnet-pytorch-lattice-oracle: twin of lattice-oracle."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError, within
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import is_number, shown, words
from kaldi_bridge.lang.symbol_table import SymbolTable
from kaldi_bridge.lattices.lattice import to_compact
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE, LATTICE
from kaldi_bridge.lattices.oracle import Alignment, oracle, path_of_words
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import INT32, INT32_VECTOR

USAGE = """Find the paths of lattices with the fewest errors against references, in word ids.
Usage: nnet-pytorch-lattice-oracle [options] <lattice-rspecifier> <reference-rspecifier> \\
    <transcriptions-wspecifier> [<edit-distance-wspecifier>]
e.g.: nnet-pytorch-lattice-oracle ark:1.lats 'ark:sym2int.pl -f 2- data/lang/words.txt data/test/text |' ark,t:-"""


@dataclass
class Options:
    """Options of lattice-oracle."""

    word_symbol_table: str = option("", "Symbol table for words [for debug output]")
    wildcard_symbols_list: str = option(
        "", "Deprecated: file of words, a line each, that don't count as errors; needs --word-symbol-table"
    )
    wildcard_symbols: str = option("", "Colon-separated list of integer ids of symbols that don't count as errors")
    write_lattices: str = option("", "If supplied, write the lattice that contains only the oracle path")

    def wildcards(self, symbols: SymbolTable | None) -> list[int]:
        """The words that count nowhere as errors. Raises KaldiError."""
        if not self.wildcard_symbols_list:
            fields = self.wildcard_symbols.split(":") if self.wildcard_symbols else []
            if not all(is_number(field) for field in fields):
                raise KaldiError(
                    "Expected colon-separated list of integers for --wildcard-symbols option, got: "
                    + self.wildcard_symbols
                )
            return [int(field) for field in fields]
        log.warning("--wildcard-symbols-list option deprecated.")
        if self.wildcard_symbols:
            raise KaldiError("Do not use both --wildcard-symbols and --wildcard-symbols-list options.")
        if symbols is None:
            raise KaldiError("--wildcard-symbols-list option requires --word-symbol-table option")
        found = []
        with open_input(self.wildcard_symbols_list) as stream:
            while line := stream.readline():
                entry = words(line)
                if len(entry) != 1 or entry[0] not in symbols.numbers:
                    raise KaldiError(f"{stream.where()}: not a symbol of {self.word_symbol_table}: {shown(line)}")
                found.append(symbols.numbers[entry[0]])
        return found


def _summary(found: Alignment, what: str) -> str:
    total = len(found.reference)
    rate = 100.0 * found.errors / total if total else float("inf" if found.errors else "nan")
    return (
        f"%WER {rate:g} [ {found.errors} / {total}, {found.insertions} insertions, {found.deletions} deletions, "
        f"{found.substitutions} {what} ]"
    )


def lattice_oracle(
    options: Options,
    lattice_rspecifier: str,
    reference_rspecifier: str,
    transcriptions_wspecifier: str,
    edit_distance_wspecifier: str = "",
) -> int:
    symbols = SymbolTable.read(options.word_symbol_table) if options.word_symbol_table else None
    wildcards = options.wildcards(symbols)
    overall = Alignment()
    done = failed = 0
    with ExitStack() as stack:
        lattices = stack.enter_context(SequentialReader(lattice_rspecifier, LATTICE))
        references = stack.enter_context(RandomAccessReader(reference_rspecifier, INT32_VECTOR))
        outputs = [
            stack.enter_context(TableWriter(wspecifier, holder)) if wspecifier else None
            for wspecifier, holder in (
                (transcriptions_wspecifier, INT32_VECTOR),
                (edit_distance_wspecifier, INT32),
                (options.write_lattices, COMPACT_LATTICE),
            )
        ]
        transcriptions, distances, paths = outputs
        for key, lattice in lattices:
            print(f"Lattice {key} read.", file=sys.stderr)
            if key not in references:
                log.warning(f"No reference present for utterance {key}")
                failed += 1
                continue
            with within(f"lattice of {key}"):
                best = oracle(lattice, references[key], wildcards)
            done += 1
            if best is None:
                log.warning(f"Best-path failed for key {key}")
                failed += 1
                continue
            overall.add(best)
            log.info(_summary(best, "sub"))
            log.info(f"For utterance {key}, best cost {best.errors}")
            if distances:
                distances.write(key, best.errors)
            if transcriptions:
                transcriptions.write(key, best.words)
            for name, ids in (("oracle", best.words), ("reference", best.reference)):
                if symbols is not None:
                    print(key, f"({name})", *(symbols[word] for word in ids), "", file=sys.stderr)
            if paths:
                path = path_of_words(to_compact(lattice), best.words, wildcards)
                if path is None:
                    log.warning(f"Failed to find the oracle path in the original lattice: {key}")
                else:
                    paths.write(key, path)
    log.info(f"Overall {_summary(overall, 'substitutions')}")  # steps/oracle_wer.sh parses this line
    log.info(f"Scored {done} lattices, {failed} not present in ref.")
    return 0


main = command(lattice_oracle, usage=USAGE)

if __name__ == "__main__":
    main()
