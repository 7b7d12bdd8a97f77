"""The Python snippets of README.md and docs/ run as they stand, in a folder that has the files that they name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.examples.chain_examples import CHAIN_EXAMPLE, ChainExample, ChainOutput
from kaldi_bridge.examples.frame_examples import NnetIo
from kaldi_bridge.examples.supervision import Supervision
from kaldi_bridge.fsts.fst import Fst, write_fst
from kaldi_bridge.tables import TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX
from nnet3_compat import Network, export_network, read_nnet
from nnet3_compat.export.onnx import streaming_to_onnx
from nnet3_compat.export.streaming import export_streaming
from tests.helpers.places import ROOT
from tests.helpers.vosk_models import tiny_folder, with_pronunciations

TINY = ROOT / "egs/tiny"
NUM_PDFS = 20  # of the model of egs/tiny


def snippets(page: str) -> str:
    """The page's Python, each line where it stands in the page, all else blank."""
    kept, inside = [], False
    for line in (ROOT / page).read_text().split("\n"):
        fence = line.startswith("```")
        kept.append(line if inside and not fence else "")
        inside = line == "```python" or (inside and not fence)
    return "\n".join(kept)


PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
WITH_SNIPPETS = [page for page in PAGES if snippets(page).strip()]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model and graph of egs/tiny, made-up features, a denominator graph and a chain example of its pdfs."""
    folder = tmp_path_factory.mktemp("snippets")
    for source, name in (("model/final.mdl", "final.mdl"), ("graph/HCLG.fst", "HCLG.fst")):
        shutil.copy(TINY / source, folder / name)
    (folder / "exp/chain/tree").mkdir(parents=True)
    shutil.copy(TINY / "model/final.mdl", folder / "exp/chain/tree")
    (folder / "conf").mkdir()
    shutil.copy(ROOT / "egs/fsdd/conf/mfcc_hires.conf", folder / "conf")
    with_pronunciations(tiny_folder(folder / "vosk-model"))
    shutil.copy(TINY / "data/wav/en-us-f3-02.wav", folder / "talk.wav")
    (folder / "talk.txt").write_text("one one nine six\n")
    network = Network.from_nnet(read_nnet(str(folder / "final.mdl")))
    export_network(network, frame_subsampling_factor=3).save(str(folder / "final.pt"))
    export_network(network, frame_subsampling_factor=3, kind="pt2").save(str(folder / "final.pt2"))
    streaming = export_streaming(network, frames_per_chunk=21, frame_subsampling_factor=3)
    (folder / "stream.pt2").write_bytes(streaming.archive({}))
    (folder / "stream.onnx").write_bytes(streaming_to_onnx(streaming))
    with TableWriter(f"ark,scp:{folder}/feats.ark,{folder}/feats.scp", FLOAT_MATRIX) as features:
        features.write("utterance", np.ones((50, 40), np.float32))
    any_pdf = [(0, pdf + 1, pdf + 1, float(np.log(NUM_PDFS)), 0) for pdf in range(NUM_PDFS)]
    write_fst(str(folder / "den.fst"), Fst.from_arcs(0, {0: 0.0}, any_pdf))
    with TableWriter(f"ark:{folder}/merged.cegs", CHAIN_EXAMPLE) as examples:
        examples.write("merged", merged_example())
    return folder


def merged_example() -> ChainExample:
    """Two sequences of five outputs, a pdf for each."""
    path = Fst.from_arcs(0, {10: 0.0}, [(t, t + 1, t + 1, 0.0, t + 1) for t in range(10)])
    indexes = np.array([(n, 3 * t, 0) for t in range(5) for n in range(2)], np.int32)
    supervision = Supervision(1.0, 2, 5, NUM_PDFS, path)
    frames = np.array([(n, t, 0) for t in range(-8, 21) for n in range(2)], np.int32)
    features = NnetIo("input", frames, np.ones((len(frames), 40), np.float32))
    return ChainExample([features], [ChainOutput("output", indexes, supervision, np.ones(10, np.float32))])


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_SNIPPETS)
def test_snippets_run_when_pasted(page: str, files: Path) -> None:
    script = files / f"{Path(page).stem}.py"
    script.write_text(snippets(page))
    result = subprocess.run([sys.executable, script.name], cwd=files, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, f"{page} (lines as there):\n{result.stderr}"


def test_pages_have_snippets() -> None:
    """Those that are known to: the search for them finds any."""
    assert {"README.md", "docs/chain.md", "docs/python.md"} <= set(WITH_SNIPPETS)
