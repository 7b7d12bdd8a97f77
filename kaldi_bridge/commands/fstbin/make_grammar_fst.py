"""nnet-pytorch-make-grammar-fst: twin of make-grammar-fst."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import read_fst, write_fst
from kaldi_bridge.graphs.grammar_fst import GrammarFst, prepared
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.io.text import is_number

USAGE = """Prepare graphs that lead into one another, and put them together for decoding
Usage (1): nnet-pytorch-make-grammar-fst [options] <top-level-fst> <symbol1> <fst1> [<symbol2> <fst2> ...] <fst-out>
e.g.: nnet-pytorch-make-grammar-fst --nonterm-phones-offset=317 HCLG.fst 320 HCLG1.fst HCLG_grammar.fst
Usage (2): nnet-pytorch-make-grammar-fst [options] <fst-in> <fst-out>
prepares one; the outputs become the inputs of usage (1).
e.g.: nnet-pytorch-make-grammar-fst --nonterm-phones-offset=317 HCLG.fst HCLGmod.fst"""


@dataclass
class Options:
    """Options of make-grammar-fst."""

    nonterm_phones_offset: int = option(-1, "Integer id of #nonterm_bos in phones.txt")
    write_as_grammar: bool = option(True, "If true, write a GrammarFst object; if false, one FST of type const")
    make_mutable: bool = option(False, "If true, the graphs inside are of type vector, else const")


def make_grammar_fst(options: Options, top: str, second: str, *rest: str) -> int:
    words = [second, *rest]
    if len(words) % 2 == 0:
        log.error("Wrong number of arguments: symbols and FSTs come in pairs")
        return 1
    if options.nonterm_phones_offset < 0:
        raise KaldiError("The --nonterm-phones-offset option must be supplied and positive.")
    out = words.pop()
    if not words:
        write_fst(out, prepared(read_fst(top), options.nonterm_phones_offset))
        return 0
    others = {}
    for symbol, name in zip(words[::2], words[1::2], strict=True):
        if not is_number(symbol) or int(symbol) == 0:
            raise KaldiError(f"Expected positive integer as nonterminal, got: {symbol}")
        if int(symbol) in others:
            raise KaldiError(f"Nonterminal symbol {symbol} is paired with two FSTs.")
        others[int(symbol)] = read_fst(name)
    grammar = GrammarFst(options.nonterm_phones_offset, read_fst(top), others)
    with open_output(out) as stream:
        if options.write_as_grammar:
            grammar.write(stream, "vector" if options.make_mutable else "const")
        else:
            grammar.expanded().write(stream, "const")
    log.info(f"Created grammar FST and wrote it to {out}")
    return 0


main = command(make_grammar_fst, usage=USAGE)

if __name__ == "__main__":
    main()
