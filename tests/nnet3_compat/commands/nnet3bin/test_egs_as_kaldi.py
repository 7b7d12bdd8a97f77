"""The programs on examples write what Kaldi's own (f40076610, x86-64, OpenFst 1.7.9) wrote from the same archive."""

import hashlib
import importlib
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter

# Program, options, output files, SHA-256 of what Kaldi's program wrote.
CHAIN = [
    ("chain_copy_egs", "", 1, "8b09363749d1a77c"),
    ("chain_copy_egs", "--frame-shift=1", 1, "a3a8dcb3edfde58e"),
    ("chain_copy_egs", "--frame-shift=-4", 1, "5f5fed94beb2d6c0"),
    ("chain_copy_egs", "--frame-shift=200", 1, "bd84beca5d7d3b0d"),
    ("chain_copy_egs", "--left-context=5", 1, "55c877715d12cefb"),
    ("chain_copy_egs", "--frame-shift=1 --left-context=20 --right-context=8", 1, "2f11fff5d1792d08"),
    ("chain_copy_egs", "--keep-proportion=0.3 --srand=5", 1, "bbf8a421f04ff4fe"),
    ("chain_copy_egs", "--keep-proportion=2.7 --srand=3", 1, "ef5244e8a054af65"),
    ("chain_copy_egs", "--weights=ark:weights", 1, "e76799d26d2f3263"),
    ("chain_copy_egs", "--outputs=ark:names --frame-shift=2", 1, "80467dba314a4307"),
    ("chain_copy_egs", "--random=true --srand=2", 3, "00a9ef010fd3bed0"),
    ("chain_shuffle_egs", "--buffer-size=1", 1, "8b09363749d1a77c"),
    ("chain_shuffle_egs", "--buffer-size=500 --srand=7", 1, "89e47073d604a23b"),
    ("chain_shuffle_egs", "--buffer-size=5000 --srand=-2", 1, "6c1877c92784f4fe"),
    ("chain_merge_egs", "", 1, "5b853d76f9d26328"),
    ("chain_merge_egs", "--minibatch-size=128=64:128,256/256=32:64,128", 1, "bbdffa3afcc20e72"),
    ("chain_merge_egs", "--minibatch-size=100=8,4/130=16/169=5", 1, "6a795c1ab1bc34e1"),
    ("chain_merge_egs", "--minibatch-size=64,32,16,8 --compress=true", 1, "205b143cbaca4d62"),
    ("chain_merge_egs", "--multilingual-eg=true", 1, "b09ac77a6289119e"),
]


@pytest.fixture(scope="module")
def folder(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kaldi's examples; weights and names of outputs for them; the same examples of two languages."""
    folder = tmp_path_factory.mktemp("egs")
    (folder / "cegs").symlink_to(reference / "fsdd/tdnnf/egs/cegs.1.ark")
    with (
        SequentialReader(f"ark:{folder}/cegs", RAW_CHAIN_EXAMPLE) as examples,
        TableWriter(f"ark:{folder}/two_languages", RAW_CHAIN_EXAMPLE) as writer,
        open(folder / "weights", "w") as weights,
        open(folder / "names", "w") as names,
    ):
        for i, (key, example) in enumerate(examples):
            writer.write(f"{key}?lang={'ab'[i % 2]}", example)
            names.write(f"{key} output-{i % 3}\n")
            if i > 2:
                weights.write(f"{key} {i % 8 / 8}\n")
    return folder


@pytest.mark.parametrize(("program", "options", "outputs", "digest"), CHAIN)
def test_chain_examples(
    folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, options: str, outputs: int, digest: str
) -> None:
    monkeypatch.chdir(folder)
    main = importlib.import_module(f"nnet3_compat.commands.{program}").main
    source = "two_languages" if "multilingual" in options else "cegs"
    written = [f"out.{i}" for i in range(outputs)]
    assert run(main, [*options.split(), f"ark:{source}", *(f"ark:{path}" for path in written)]) == 0
    data = b"".join((folder / path).read_bytes() for path in written)
    assert hashlib.sha256(data).hexdigest().startswith(digest)
