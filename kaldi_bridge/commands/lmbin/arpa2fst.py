"""nnet-pytorch-arpa2fst: twin of arpa2fst."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge.command import command, option
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lang.arpa import compile_arpa

USAGE = """Convert an ARPA format language model into an FST
Usage: nnet-pytorch-arpa2fst [options] <input-arpa> <output-fst>
e.g.: nnet-pytorch-arpa2fst --disambig-symbol=#0 --read-symbol-table=data/lang/words.txt lm.arpa G.fst"""


@dataclass
class Options:
    """Options of arpa2fst."""

    bos_symbol: str = option("<s>", "Beginning of sentence symbol")
    eos_symbol: str = option("</s>", "End of sentence symbol")
    disambig_symbol: str = option("", "Disambiguator on the input side of backoff links; <s> and </s> become epsilons")
    read_symbol_table: str = option("", "Use existing symbol table; n-grams with other words are left out")
    write_symbol_table: str = option("", "Write generated symbol table to a file")
    keep_symbols: bool = option(False, "Store symbol table with FST (always, if it is neither read nor written)")
    ilabel_sort: bool = option(True, "Ilabel-sort the output FST")
    max_arpa_warnings: int = option(30, "Maximum warnings to report on ARPA parsing, 0 to disable, -1 to show all")


def arpa2fst(options: Options, input_arpa: str, output_fst: str = "") -> int:
    fst = compile_arpa(
        input_arpa,
        options.read_symbol_table,
        options.write_symbol_table,
        options.disambig_symbol,
        options.bos_symbol,
        options.eos_symbol,
        options.keep_symbols,
        options.ilabel_sort,
        options.max_arpa_warnings,
        output_fst,
    )
    with open_output(output_fst) as out:
        fst.write(out, "vector")
    return 0


main = command(arpa2fst, usage=USAGE)

if __name__ == "__main__":
    main()
