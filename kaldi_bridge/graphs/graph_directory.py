"""Graph directories: HCLG.fst and what decoding and scoring need beside it (utils/mkgraph.sh).

LG and CLG stay in the lang directory's tmp/, where it can be written, for the next model.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from kaldi_bridge import log
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.fsts.fst import Fst, read_fst, write_fst
from kaldi_bridge.graphs.decoding_graph import context_graph, hmm_graph, log_stochasticity, without_words
from kaldi_bridge.graphs.window_labels import read_labels, write_labels
from kaldi_bridge.hmm.transition_model import TransitionModel
from kaldi_bridge.hmm.tree import ContextDependency
from kaldi_bridge.io import basic_io
from kaldi_bridge.io.streams import open_input, open_output
from kaldi_bridge.io.text_files import write_text
from kaldi_bridge.lang.directory import Lang
from kaldi_bridge.lang.grammar import check_grammar
from kaldi_bridge.lang.lexicon_grammar import lexicon_and_grammar

COPIED = ("word_boundary.*", "align_lexicon.*", "optional_silence.*", "disambig.txt", "disambig.int", "silence.csl")


def is_newer(file: Path, *sources: Path) -> bool:
    """Whether a file is there and none of the sources has changed since it was written."""
    return file.exists() and all(file.stat().st_mtime >= source.stat().st_mtime for source in sources)


def make_graph_directory(
    lang_path: str | os.PathLike[str],
    tree_file: str,
    model_file: str,
    path: str | os.PathLike[str],
    transition_scale: float = 1.0,
    self_loop_scale: float = 0.1,
    remove_oov: bool = False,
) -> None:
    """Writes the directory.

    Args:
        model_file: a file that begins with a transition model, as Kaldi's .mdl of any kind do.
        remove_oov: without paths that have the word for unknown words.

    Raises:
        KaldiError: a file is missing, or they do not belong together.
    """
    lang, path = Lang(lang_path), Path(path)
    for name in ("L_disambig.fst", "G.fst", "phones.txt", "words.txt", "phones/disambig.int", "phones/silence.csl"):
        if not (lang.path / name).is_file():
            raise KaldiError(f"no such file {lang.path / name}")
    with open_input(tree_file) as stream:
        tree = ContextDependency.read(stream, basic_io.read_header(stream))
    with open_input(model_file) as stream:
        model = TransitionModel.read(stream, basic_io.read_header(stream))
    graph, labels = _context_graph(lang, tree)
    log_stochasticity("CLG", graph)
    if remove_oov:
        graph = without_words(graph, [lang.oov])
    graph, disambig = hmm_graph(graph, labels, tree, model, transition_scale, self_loop_scale)
    log_stochasticity("HCLG", graph)
    (path / "phones").mkdir(parents=True, exist_ok=True)
    for name in ("words.txt", "phones.txt"):
        shutil.copyfile(lang.path / name, path / name)
    for pattern in COPIED:
        for file in (lang.path / "phones").glob(pattern):
            shutil.copyfile(file, path / "phones" / file.name)
    write_text(path / "num_pdfs", f"{model.num_pdfs}\n")
    write_text(path / "disambig_tid.int", "".join(f"{label}\n" for label in disambig))
    with open_output(str(path / "HCLG.fst")) as out:
        graph.write(out, "const", all_properties=True)


def _context_graph(lang: Lang, tree: ContextDependency) -> tuple[Fst, list[list[int]]]:
    """CLG and its labels, from the lang directory's tmp/ where they are there."""
    kind = f"{tree.width}_{tree.central}"
    clg, ilabels, lg = (lang.path / "tmp" / name for name in (f"CLG_{kind}.fst", f"ilabels_{kind}", "LG.fst"))
    sources = (lang.path / "L_disambig.fst", lang.path / "G.fst", lang.path / "phones/disambig.int")
    if is_newer(clg, *sources) and is_newer(ilabels, *sources):
        log.info(f"Taking {clg}")
        return read_fst(str(clg)), read_labels(str(ilabels))
    if is_newer(lg, *sources):
        log.info(f"Taking {lg}")
        graph = read_fst(str(lg))
    else:
        check_grammar(lang.grammar, lang.words)
        graph = lexicon_and_grammar(lang.lexicon_disambig, lang.grammar)
        _keep(lg, lambda name: write_fst(name, graph))
    log_stochasticity("LG", graph)
    composed, labels = context_graph(graph, tree, lang.disambig)
    _keep(ilabels, lambda name: write_labels(name, labels))
    _keep(clg, lambda name: write_fst(name, composed))
    return composed, labels


def _keep(file: Path, write: Callable[[str], None]) -> None:
    try:
        file.parent.mkdir(exist_ok=True)
        write(str(file))
    except (OSError, KaldiError) as error:
        log.warning(f"Not keeping {file} for the next graph: {error}")
