"""nnet-pytorch-arpa-to-const-arpa: twin of arpa-to-const-arpa."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.streams import open_output
from kaldi_bridge.lang.const_arpa import NO_WORD, compile_const_arpa, write_const_arpa

USAGE = """Convert an ARPA language model, whose words are numbers (utils/map_arpa_lm.pl), for rescoring lattices.
Usage: nnet-pytorch-arpa-to-const-arpa [options] <input-arpa> <const-arpa>
e.g.: nnet-pytorch-arpa-to-const-arpa --bos-symbol=1 --eos-symbol=2 arpa.txt const_arpa"""


@dataclass
class Options:
    """Options of arpa-to-const-arpa."""

    max_arpa_warnings: int = option(30, "Maximum warnings to report on ARPA parsing, 0 to disable, -1 to show all")
    unk_symbol: int = option(NO_WORD, "Number of the unknown word in the language model, -1 if there is none")
    bos_symbol: int = option(NO_WORD, "Number of <s>. You must set this to your actual BOS integer.")
    eos_symbol: int = option(NO_WORD, "Number of </s>. You must set this to your actual EOS integer.")


def arpa_to_const_arpa(options: Options, input_arpa: str, const_arpa: str) -> int:
    if NO_WORD in (options.bos_symbol, options.eos_symbol):
        raise KaldiError("Please set --bos-symbol and --eos-symbol.")
    log.info(f"Reading {input_arpa}")
    symbols = options.bos_symbol, options.eos_symbol, options.unk_symbol
    model = compile_const_arpa(input_arpa, *symbols, options.max_arpa_warnings)
    with open_output(const_arpa) as stream:
        write_const_arpa(stream, model)
    return 0


main = command(arpa_to_const_arpa, usage=USAGE)

if __name__ == "__main__":
    main()
