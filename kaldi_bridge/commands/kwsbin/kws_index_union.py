"""nnet-pytorch-kws-index-union: twin of kws-index-union."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.kws.keyword_index import KEYWORD_INDEX, optimized, united
from kaldi_bridge.tables import SequentialReader, TableWriter

USAGE = """Make one index of many, with the key "global", determinized and minimized.
Usage: nnet-pytorch-kws-index-union [options] <index-rspecifier> <index-wspecifier>
e.g.: nnet-pytorch-kws-index-union ark:input.idx ark:global.idx"""


@dataclass
class Options:
    """Options of kws-index-union."""

    strict: bool = option(True, "Exit with status 1 where there is no index")
    skip_optimization: bool = option(False, "Neither determinize nor minimize")
    max_states: int = option(-1, "Do not determinize where this makes more states than so many; -1: any number")


def kws_index_union(options: Options, index_rspecifier: str, index_wspecifier: str) -> int:
    with SequentialReader(index_rspecifier, KEYWORD_INDEX) as reader:
        indices = [index for _, index in reader]
    whole = united(indices)
    if options.skip_optimization:
        log.info("Skipping index optimization...")
    else:
        whole = optimized(whole, options.max_states)
    with TableWriter(index_wspecifier, KEYWORD_INDEX) as writer:
        writer.write("global", whole)
    log.info(f"Done {len(indices)} indices")
    return 0 if indices or not options.strict else 1


main = command(kws_index_union, usage=USAGE)

if __name__ == "__main__":
    main()
