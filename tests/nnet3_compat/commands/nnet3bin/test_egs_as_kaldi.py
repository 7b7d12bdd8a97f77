"""The programs on examples write what Kaldi's own (f40076610, x86-64, OpenFst 1.7.9) wrote from the same archive."""

import hashlib
from pathlib import Path

import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.chain_examples import RAW_CHAIN_EXAMPLE
from kaldi_bridge.tables import SequentialReader, TableWriter
from tests.helpers.twins import twin

# Program, options, output files, SHA-256 of what Kaldi's program wrote.
CHAIN = [
    ("nnet3-chain-copy-egs", "", 1, "8b09363749d1a77c"),
    ("nnet3-chain-copy-egs", "--frame-shift=1", 1, "a3a8dcb3edfde58e"),
    ("nnet3-chain-copy-egs", "--frame-shift=-4", 1, "5f5fed94beb2d6c0"),
    ("nnet3-chain-copy-egs", "--frame-shift=200", 1, "bd84beca5d7d3b0d"),
    ("nnet3-chain-copy-egs", "--left-context=5", 1, "55c877715d12cefb"),
    ("nnet3-chain-copy-egs", "--frame-shift=1 --left-context=20 --right-context=8", 1, "2f11fff5d1792d08"),
    ("nnet3-chain-copy-egs", "--keep-proportion=0.3 --srand=5", 1, "bbf8a421f04ff4fe"),
    ("nnet3-chain-copy-egs", "--keep-proportion=2.7 --srand=3", 1, "ef5244e8a054af65"),
    ("nnet3-chain-copy-egs", "--weights=ark:weights", 1, "e76799d26d2f3263"),
    ("nnet3-chain-copy-egs", "--outputs=ark:names --frame-shift=2", 1, "80467dba314a4307"),
    ("nnet3-chain-copy-egs", "--random=true --srand=2", 3, "00a9ef010fd3bed0"),
    ("nnet3-chain-shuffle-egs", "--buffer-size=1", 1, "8b09363749d1a77c"),
    ("nnet3-chain-shuffle-egs", "--buffer-size=500 --srand=7", 1, "89e47073d604a23b"),
    ("nnet3-chain-shuffle-egs", "--buffer-size=5000 --srand=-2", 1, "6c1877c92784f4fe"),
    ("nnet3-chain-merge-egs", "", 1, "5b853d76f9d26328"),
    ("nnet3-chain-merge-egs", "--minibatch-size=128=64:128,256/256=32:64,128", 1, "bbdffa3afcc20e72"),
    ("nnet3-chain-merge-egs", "--minibatch-size=100=8,4/130=16/169=5", 1, "6a795c1ab1bc34e1"),
    ("nnet3-chain-merge-egs", "--minibatch-size=64,32,16,8 --compress=true", 1, "205b143cbaca4d62"),
    ("nnet3-chain-merge-egs", "--multilingual-eg=true", 1, "b09ac77a6289119e"),
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
    source = "two_languages" if "multilingual" in options else "cegs"
    written = [f"out.{i}" for i in range(outputs)]
    assert run(twin(program), [*options.split(), f"ark:{source}", *(f"ark:{path}" for path in written)]) == 0
    data = b"".join((folder / path).read_bytes() for path in written)
    assert hashlib.sha256(data).hexdigest().startswith(digest)
