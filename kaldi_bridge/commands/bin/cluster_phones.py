"""nnet-pytorch-cluster-phones: twin of cluster-phones."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.integer_sets import read_sets, split_integers, write_sets
from kaldi_bridge.tree_building.files import read_statistics
from kaldi_bridge.tree_building.phone_clusters import phone_classes, phone_questions

USAGE = """Cluster phones, or sets of phones, into sets that are questions for trees.
Usage: nnet-pytorch-cluster-phones [options] <tree-stats-in> <phone-sets-in> <clustered-phones-out>
e.g.: nnet-pytorch-cluster-phones 1.tacc phonesets.txt questions.txt"""


@dataclass
class Options:
    """Options of cluster-phones."""

    central_position: int = option(1, "Central position in context window [must match acc-tree-stats]")
    context_width: int = option(3, "Does not have any effect, as in Kaldi")
    pdf_class_list: str = option("1", "Colon-separated list of HMM positions to consider")
    mode: str = option("questions", '"questions": sets for decision trees; "k-means": --num-classes sets of all phones')
    num_classes: int = option(-1, "With --mode=k-means: number of classes")


def cluster_phones(options: Options, statistics_in: str, sets_in: str, sets_out: str) -> None:
    if options.mode not in ("questions", "k-means"):
        raise KaldiError(f"--mode={options.mode}: must be questions or k-means")
    if options.mode == "questions" and options.num_classes != -1:
        raise KaldiError('num-classes option is not (currently) compatible with "questions" mode.')
    classes = split_integers(options.pdf_class_list, "--pdf-class-list")
    statistics, sets = read_statistics(statistics_in), read_sets(sets_in)
    if options.mode == "questions":
        made = phone_questions(statistics, sets, classes, options.central_position)
    else:
        made = phone_classes(statistics, sets, options.num_classes, classes, options.central_position)
    write_sets(sets_out, made)
    log.info(f"Wrote questions to {sets_out}")


main = command(cluster_phones, usage=USAGE)

if __name__ == "__main__":
    main()
