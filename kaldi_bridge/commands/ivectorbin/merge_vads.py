"""nnet-pytorch-merge-vads: twin of merge-vads."""

from __future__ import annotations

from dataclasses import dataclass

from kaldi_bridge import log
from kaldi_bridge.command import command, option
from kaldi_bridge.errors import EntryError
from kaldi_bridge.features.voice_decisions import BOTH_SPEAK, merged_labels, read_label_map
from kaldi_bridge.tables import RandomAccessReader, SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_VECTOR
from kaldi_bridge.tables.loop import TableLoop

USAGE = """Merge two decisions about each frame: 1 (speech) where both are, else 0; or as a map has it.
Usage: nnet-pytorch-merge-vads [options] <vad-rspecifier-1> <vad-rspecifier-2> <vad-wspecifier>
e.g.: nnet-pytorch-merge-vads scp:vad_energy.scp scp:vad_gmm.scp ark:vad.ark"""


@dataclass
class Options:
    """Options of merge-vads."""

    map: str = option("", "File with lines of a label of the first decision, one of the second, and the merged one")


def merge_vads(options: Options, first: str, second: str, wspecifier: str) -> int:
    merged = dict(BOTH_SPEAK)
    if options.map:
        merged = {(one, two): label for one, two, label in read_label_map(options.map, 3)}
    loop = TableLoop()
    with (
        SequentialReader(first, FLOAT_VECTOR) as reader,
        RandomAccessReader(second, FLOAT_VECTOR) as others,
        TableWriter(wspecifier, FLOAT_VECTOR) as writer,
    ):
        for utterance, decisions in reader:
            with loop.entry(utterance):
                if utterance not in others:
                    raise EntryError(f"No vector for utterance {utterance}")
                if len(decisions) != len(others[utterance]):
                    raise EntryError(f"VAD length mismatch for utterance {utterance}")
                writer.write(utterance, merged_labels(decisions, others[utterance], merged))
    log.info(
        f"Merged voice activity detection decisions; processed {loop.done} utterances successfully; {loop.failed} had "
        "errors."
    )
    return loop.status


main = command(merge_vads, usage=USAGE)

if __name__ == "__main__":
    main()
