"""What is to be said, as a pdf for each output frame: of pdfs, or of phones through the tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.hmm.topology import NO_PDF, Topology
from kaldi_bridge.hmm.transition_model import read_transition_model
from kaldi_bridge.hmm.tree import PDF_CLASS, ContextDependency, answers
from kaldi_bridge.io.basic_io import read_header
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.text import words
from kaldi_bridge.lang.symbol_table import SymbolTable


def stretched(pdfs: Sequence[int], num_outputs: int, num_pdfs: int) -> list[int]:
    """Each pdf for about as many frames. Raises KaldiError for more pdfs than frames, or what is no pdf."""
    for pdf in pdfs:
        if not 0 <= pdf < num_pdfs:
            raise KaldiError(f"there is no pdf {pdf}: the model has 0 to {num_pdfs - 1}")
    return [pdf for pdf, length in zip(pdfs, _shares(len(pdfs), num_outputs), strict=True) for _ in range(length)]


def pdfs_of_phones(phones: Sequence[int], num_outputs: int, tree: ContextDependency, topology: Topology) -> list[int]:
    """Each phone, in its context, for about as many frames, and so each of its HMM states.

    Raises KaldiError where a phone has fewer frames than states, or the tree has no pdf for it.
    """
    made: list[int] = []
    for i, length in enumerate(_shares(len(phones), num_outputs)):
        first = i - tree.central
        window = [phones[j] if 0 <= j < len(phones) else 0 for j in range(first, first + tree.width)]
        states = [state for state in topology.states(phones[i]) if state.forward_pdf_class != NO_PDF]
        for state, frames in zip(states, _shares(len(states), length), strict=True):
            classes = [state.forward_pdf_class] + [state.self_loop_pdf_class] * (frames - 1)
            made += [_pdf(tree, window, pdf_class) for pdf_class in classes]
    return made


def _pdf(tree: ContextDependency, window: list[int], pdf_class: int) -> int:
    found = answers(tree.to_pdf, {**dict(enumerate(window)), PDF_CLASS: pdf_class})
    if len(found) != 1:
        raise KaldiError(f"the tree has no pdf for the phones {window}, pdf class {pdf_class}")
    return found.pop()


def _shares(count: int, total: int) -> list[int]:
    if not 0 < count <= total:
        raise KaldiError(f"{count} pdfs, phones or HMM states do not go into {total} frames")
    return [(i + 1) * total // count - i * total // count for i in range(count)]


def read_target(pdfs: str, phones: str, num_outputs: int, num_pdfs: int, folder: Path) -> list[int] | None:
    """Of options: ``pdfs`` as numbers, or ``phones`` as symbols of the folder's phones.txt; None of neither.

    Raises KaldiError for both, for what is no pdf or phone, or where the folder lacks phones.txt, tree or final.mdl.
    """
    if pdfs and phones:
        raise KaldiError("give --pdfs or --phones, not both")
    if pdfs:
        try:
            return stretched([int(word) for word in words(pdfs)], num_outputs, num_pdfs)
        except ValueError:
            raise KaldiError(f"--pdfs={pdfs}: they must be numbers") from None
    if not phones:
        return None
    table = SymbolTable.read(str(folder / "phones.txt"))
    unknown = [phone for phone in words(phones) if phone not in table.numbers]
    if unknown:
        raise KaldiError(f"--phones: {unknown[0]} is not in {folder / 'phones.txt'}")
    with open_input(str(folder / "tree")) as stream:
        tree = ContextDependency.read(stream, read_header(stream))
    topology = read_transition_model(str(folder / "final.mdl")).topology
    return pdfs_of_phones([table.numbers[phone] for phone in words(phones)], num_outputs, tree, topology)
