"""Merging examples of the same structure into minibatches (nnet3/nnet-example-utils.cc, nnet-chain-example.cc)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np

from kaldi_bridge import log
from kaldi_bridge.chain_examples import ChainExample, ChainOutput
from kaldi_bridge.compressed import CompressedMatrix
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.examples import NnetExample, NnetIo
from kaldi_bridge.minibatch_sizes import MinibatchSizes
from kaldi_bridge.sparse import append_rows, num_columns
from kaldi_bridge.supervision_merging import merge_supervisions

E = TypeVar("E")
Kind = tuple[int, Hashable]
"""The size of an example, and what examples that can be merged have in common."""


class ExampleMerger(Generic[E]):
    """Collects examples by structure and puts together as many as the rules ask for.

    Attributes:
        written: minibatches so far, as {(example size, structure): {minibatch size: number}}.
        discarded: examples left over at the end, per the same key.
    """

    def __init__(
        self,
        sizes: MinibatchSizes,
        structure: Callable[[E], Kind],
        merge: Callable[[list[E]], E],
    ) -> None:
        self._sizes = sizes
        self._structure = structure
        self._merge = merge
        self._waiting: dict[Kind, list[E]] = {}
        self.written: dict[Kind, Counter[int]] = {}
        self.discarded: Counter[Kind] = Counter()

    def merge(self, examples: Iterable[E]) -> Iterator[tuple[str, E]]:
        """(key, minibatch) pairs; keys are merged-NUMBER-SIZE."""
        count = 0
        for example in examples:
            kind = self._structure(example)
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

    def _minibatch(self, kind: Kind, examples: list[E], count: int) -> tuple[str, E]:
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


def example_structure(example: NnetExample) -> Kind:
    """Its size, and what must be equal in examples that are merged."""
    return max(len(part.indexes) for part in example.io), tuple(_io_structure(part) for part in example.io)


def chain_structure(example: ChainExample) -> Kind:
    """Its size, and what must be equal in chain examples that are merged."""
    size = max(len(part.indexes) for parts in (example.inputs, example.outputs) for part in parts)  # type: ignore[attr-defined]
    outputs = tuple((part.name, part.indexes.tobytes()) for part in example.outputs)
    return size, (tuple(_io_structure(part) for part in example.inputs), outputs)


def _io_structure(part: NnetIo) -> Hashable:
    return part.name, num_columns(part.features), part.indexes.tobytes()


def merge_examples(examples: list[NnetExample], compress: bool = False) -> NnetExample:
    """One example with the rows of all, sequence numbers going on from one to the next."""
    return NnetExample(_merge_io([example.io for example in examples], compress))


def merge_chain_examples(examples: list[ChainExample], compress: bool = False) -> ChainExample:
    """One minibatch. Raises KaldiError where an example is a merged one, or supervisions do not fit together."""
    inputs = _merge_io([example.inputs for example in examples], compress)
    outputs = [_merge_outputs(list(parts)) for parts in zip(*(e.outputs for e in examples), strict=True)]
    return ChainExample(inputs, outputs)


def _merge_io(sources: list[list[NnetIo]], compress: bool) -> list[NnetIo]:
    stride = int(sources[0][0].indexes[:, 0].max()) + 1
    by_name: dict[str, list[tuple[int, NnetIo]]] = {}
    for n, source in enumerate(sources):
        for part in source:
            by_name.setdefault(part.name, []).append((n, part))
    merged = []
    for name in sorted(by_name):
        parts = by_name[name]
        indexes = np.concatenate([part.indexes for _, part in parts])
        if (indexes[:, 0] >= stride).any():
            raise KaldiError(f"the inputs of examples for {name} have different numbers of sequences")
        indexes[:, 0] += np.repeat([n * stride for n, _ in parts], [len(part.indexes) for _, part in parts])
        features = append_rows([part.features for _, part in parts])
        if compress and isinstance(features, np.ndarray):
            features = CompressedMatrix.compress(features)
        merged.append(NnetIo(name, indexes, features))
    return merged


def _merge_outputs(parts: list[ChainOutput]) -> ChainOutput:
    if any(part.indexes[:, 0].any() for part in parts):
        raise KaldiError("these chain examples are merged already")
    count = len(parts)
    indexes = np.stack([part.indexes for part in parts], axis=1)  # [frames, sequences, 3]
    indexes[:, :, 0] = np.arange(count)
    weights = parts[0].deriv_weights
    if weights.size:
        weights = np.stack([part.deriv_weights for part in parts], axis=1).reshape(-1)
    supervision = merge_supervisions([part.supervision for part in parts])
    return ChainOutput(parts[0].name, indexes.reshape(-1, 3), supervision, weights)
