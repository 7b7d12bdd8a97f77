"""nnet-pytorch-kws-search: twin of kws-search."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.command import command
from kaldi_bridge.errors import within
from kaldi_bridge.fsts.fst import FST
from kaldi_bridge.kws.keyword_index import KEYWORD_INDEX
from kaldi_bridge.kws.keyword_search import Found, KeywordSearch, SearchOptions
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import DOUBLE_LIST
from kaldi_bridge.tables.number_lists import entries_of

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
                stats.write_all(key, found.paths, entries_of)
            for _ in range(found.unexpected):
                log.warning(f"The resulting FST does not have the expected structure for key {key}")
            results.write_all(key, _rows(found, options), entries_of)
            done += 1
    log.info(f"Done {done} keywords")
    return 0 if done or not options.strict else 1


def _rows(found: Found, options: SearchOptions) -> list[list[float]]:
    """Utterance, frames and cost of each occurrence; costs are not negative. Warns of those that were."""
    rows = found.occurrences.copy()
    for cost in rows[:, 3][rows[:, 3] < min(options.negative_tolerance, 0.0)].tolist():
        log.warning(f"Score out of expected range: {cost:g}")
    rows[:, 1:3] *= options.frame_subsampling_factor
    rows[:, 3] = np.maximum(rows[:, 3], 0.0)
    return rows.tolist()


main = command(kws_search, usage=USAGE)

if __name__ == "__main__":
    main()
