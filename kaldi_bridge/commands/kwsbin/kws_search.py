"""nnet-pytorch-kws-search: twin of kws-search."""

from __future__ import annotations

from contextlib import ExitStack

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.kws.keyword_index import KEYWORD_INDEX
from kaldi_bridge.kws.keyword_search import KeywordSearch, Occurrence, SearchOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_LIST

USAGE = """Search keywords, which are FSTs of words, in an index, which has the key "global". Of each occurrence the
results have a line
  keyword utterance first-frame last-frame cost
The statistics, which are optional, have such a line for each path of a keyword's FST and the index, with its words
after it between two numbers that belong to the index:
  keyword utterance first-frame last-frame cost 0 word word ... 0
Usage: nnet-pytorch-kws-search [options] <index-rspecifier> <keywords-rspecifier> <results-wspecifier>
 [<stats-wspecifier>]
e.g.: nnet-pytorch-kws-search ark:index.idx ark:keywords.fsts ark:results ark:stats"""


def kws_search(
    options: SearchOptions,
    index_rspecifier: str,
    keywords_rspecifier: str,
    results_wspecifier: str,
    stats_wspecifier: str = "",
) -> int:
    search = KeywordSearch(RandomAccessReader(index_rspecifier, KEYWORD_INDEX)["global"], options)
    done = 0
    with ExitStack() as stack:
        keywords = stack.enter_context(SequentialReader(keywords_rspecifier, FST))
        results = stack.enter_context(TableWriter(results_wspecifier, DOUBLE_LIST))
        stats: TableWriter[list[float]] | None = None
        if stats_wspecifier:
            stats = stack.enter_context(TableWriter(stats_wspecifier, DOUBLE_LIST))
        for key, keyword in keywords:
            with within(f"keyword {key}"):
                found = search(keyword, with_paths=stats is not None)
            if found is None:
                continue
            if stats:
                for one, labels in found.paths:
                    stats.write(key, [one.utterance, one.begin, one.end, one.cost, *map(float, labels)])
            for _ in range(found.unexpected):
                log.warning(f"The resulting FST does not have the expected structure for key {key}")
            for one in found.occurrences:
                results.write(key, _result(one, options))
            done += 1
    log.info(f"Done {done} keywords")
    return 0 if done or not options.strict else 1


def _result(found: Occurrence, options: SearchOptions) -> list[float]:
    if found.cost < 0 and found.cost < options.negative_tolerance:
        log.warning(f"Score out of expected range: {found.cost:g}")
    factor = options.frame_subsampling_factor
    return [found.utterance, found.begin * factor, found.end * factor, max(found.cost, 0.0)]


main = command(kws_search, usage=USAGE)

if __name__ == "__main__":
    main()
