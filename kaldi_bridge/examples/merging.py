"""Merging examples of the same structure into minibatches (nnet3/nnet-example-utils.cc, nnet-chain-example.cc)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples.buffer import MARKER
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.frame_examples import RAW_EXAMPLE, NnetExample, NnetIo
from kaldi_bridge.examples.minibatch_sizes import MinibatchSizes
from kaldi_bridge.examples.supervision_merging import merge_supervisions
from kaldi_bridge.extension import _csrc
from kaldi_bridge.io.compressed import CompressedMatrix

Kind = tuple[int, bytes]
"""The size of an example, and what examples that can be merged have in common."""


class ExampleMerger:
    """Collects examples, as bytes, by structure and puts together as many as the rules ask for.

    Attributes:
        written: minibatches so far, as {(example size, structure): {minibatch size: number}}.
        discarded: examples left over at the end, per the same key.
    """

    def __init__(self, sizes: MinibatchSizes, merge: Callable[[list[bytes]], bytes]) -> None:
        self._sizes = sizes
        self._merge = merge
        self._waiting: dict[Kind, list[bytes]] = {}
        self.written: dict[Kind, Counter[int]] = {}
        self.discarded: Counter[Kind] = Counter()

    def merge(self, examples: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
        """(key, minibatch) pairs; keys are merged-NUMBER-SIZE."""
        count = 0
        for example in examples:
            kind = structure(example)
            waiting = self._waiting.setdefault(kind, [])
            waiting.append(example)
            if len(waiting) >= self._sizes.largest(kind[0]):
                del self._waiting[kind]
                yield self._minibatch(kind, waiting, count)
                count += 1
        for kind, waiting in reversed(self._waiting.items()):  # as Kaldi's hash table has them, as a rule
            while waiting and (size := self._sizes.at_end(kind[0], len(waiting))):
                yield self._minibatch(kind, waiting[:size], count)
                count += 1
                del waiting[:size]
            self.discarded[kind] += len(waiting)
        self._waiting = {}

    def _minibatch(self, kind: Kind, examples: list[bytes], count: int) -> tuple[str, bytes]:
        self.written.setdefault(kind, Counter())[len(examples)] += 1
        return f"merged-{count}-{len(examples)}", self._merge(examples)

    def report(self) -> bool:
        """Logs what was merged, as Kaldi does; whether there was any minibatch."""
        kinds = sorted({*self.written, *self.discarded}, key=lambda kind: kind[0])
        parts, minibatches, merged, merged_size, lost, lost_size, types = [], 0, 0, 0, 0, 0, 0
        for kind in kinds:
            sizes, discarded = self.written.get(kind, Counter()), self.discarded[kind]
            parts.append(
                f"{kind[0]}={{{','.join(f'{size}->{number}' for size, number in sizes.items())},d={discarded}}}"
            )
            used = sum(size * number for size, number in sizes.items())
            minibatches, types = minibatches + sum(sizes.values()), types + len(sizes)
            merged, merged_size = merged + used, merged_size + used * kind[0]
            lost, lost_size = lost + discarded, lost_size + discarded * kind[0]
        log.info(
            "Merged specific eg types as follows [format: <eg-size1>={<mb-size1>-><num-minibatches1>,<mbsize2>->"
            "<num-minibatches2>.../d=<num-discarded>},<egs-size2>={...},... (note,egs-size == number of input frames "
            "including context)."
        )
        log.info(",".join(parts))
        total = merged + lost
        mean = (merged_size + lost_size) / total if total else float("nan")
        log.info(
            f"Processed {total} egs of avg. size {mean:.4g} into {minibatches} minibatches, discarding "
            f"{100.0 * lost / total if total else float('nan'):.4g}% of egs.  Avg minibatch size was "
            f"{merged / minibatches if minibatches else float('nan'):.4g}, #distinct types of egs/minibatches was "
            f"{len(kinds)}/{types}"
        )
        return minibatches > 0


def structure(data: bytes) -> Kind:
    """The size of an example (its most rows of any input or output), and what must be equal in those merged with it."""
    return _csrc.example_structure(data, len(MARKER))


def merge_examples(examples: list[bytes], compress: bool = False) -> bytes:
    """One example with the rows of all, sequence numbers going on from one to the next.

    Examples are the bytes of their binary form (RawExampleHolder). Raises KaldiError where they do not fit together.
    """
    return RAW_EXAMPLE.data(NnetExample(merge_inputs(examples, compress)))


def merge_chain_examples(examples: list[bytes], compress: bool = False) -> bytes:
    """The same for chain examples; raises KaldiError where one is a merged one, or supervisions do not fit together."""
    parts = [[ChainOutput.from_parts(*each) for each in _csrc.example_outputs(data, len(MARKER))] for data in examples]
    outputs = [_merge_outputs(list(same)) for same in zip(*parts, strict=True)]
    return RAW_CHAIN_EXAMPLE.data(ChainExample(merge_inputs(examples, compress), outputs))


def merge_inputs(examples: list[bytes], compress: bool) -> list[NnetIo]:
    """Those of all examples, one after the other. Raises KaldiError where they do not fit together."""
    try:
        merged = [NnetIo.from_parts(*part) for part in _csrc.merge_inputs(examples, len(MARKER))]
    except ValueError as error:
        raise KaldiError(f"examples cannot be merged: {error}") from error
    for part in merged:
        if compress and isinstance(part.features, np.ndarray):
            part.features = CompressedMatrix.compress(part.features)
    return merged


def merge_rows(indexes: list[np.ndarray], weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Indexes and weights of derivatives of outputs of one sequence each, as of one output: frame by frame.

    Raises KaldiError where one is of several sequences already.
    """
    if any(rows[:, 0].any() for rows in indexes):
        raise KaldiError("these examples are merged already")
    merged = np.stack(indexes, axis=1)  # [frames, sequences, 3]
    merged[:, :, 0] = np.arange(len(indexes))
    return merged.reshape(-1, 3), np.stack(weights, axis=1).reshape(-1) if weights[0].size else weights[0]


def _merge_outputs(parts: list[ChainOutput]) -> ChainOutput:
    indexes, weights = merge_rows([part.indexes for part in parts], [part.deriv_weights for part in parts])
    supervision = merge_supervisions([part.supervision for part in parts])
    return ChainOutput(parts[0].name, indexes, supervision, weights)
