"""nnet-pytorch-generate-proxy-keywords: twin of generate-proxy-keywords."""

from __future__ import annotations

from contextlib import ExitStack

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.fsts.fst import FST, read_fst
from kaldi_bridge.fsts.topological import topologically_sorted
from kaldi_bridge.kws.proxies import ProxyFinder, ProxyOptions, paths
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_LIST, INT32_VECTOR

USAGE = """Find words of the vocabulary that sound like keywords out of it: of each keyword, an FST of proxies. L2xE.fst
is a large lexicon composed with edits of phones, L1'.fst the vocabulary's lexicon from phones to words, both sorted by
input labels. <kwlist-wspecifier> gets the proxies as lines "keyword cost words".
Usage: nnet-pytorch-generate-proxy-keywords [options] <L2xE.fst> <L1'.fst> <keyword-rspecifier> <proxy-wspecifier>
 [<kwlist-wspecifier>]
e.g.: nnet-pytorch-generate-proxy-keywords L2xE.fst L1.fst ark:keywords.int ark:proxy.fsts ark,t:proxy.kwlist.txt"""


def generate_proxy_keywords(
    options: ProxyOptions,
    confusable: str,
    words: str,
    keyword_rspecifier: str,
    proxy_wspecifier: str,
    kwlist_wspecifier: str = "",
) -> int:
    options.check()
    find = ProxyFinder(read_fst(confusable), read_fst(words), options)
    done = 0
    with ExitStack() as stack:
        keywords = stack.enter_context(SequentialReader(keyword_rspecifier, INT32_VECTOR))
        writer = stack.enter_context(TableWriter(proxy_wspecifier, FST))
        lists: TableWriter[list[float]] | None = None
        if kwlist_wspecifier:
            lists = stack.enter_context(TableWriter(kwlist_wspecifier, DOUBLE_LIST))
        for key, keyword in keywords:
            log.info(f"Processing {key}")
            with within(f"keyword {key}"):
                proxies = find(keyword)
            writer.write(key, proxies)
            if lists and topologically_sorted(proxies) is None:
                log.warning(f"Proxy FST has cycles, skip printing paths for {key}")
            elif lists:
                for cost, labels in paths(proxies):
                    lists.write(key, [float(cost), *map(float, labels)])
            done += 1
    log.info(f"Done {done} keywords")
    return 0 if done else 1


main = command(generate_proxy_keywords, usage=USAGE)

if __name__ == "__main__":
    main()
