"""rnnlm-get-sampling-lm and rnnlm-get-egs beside Kaldi's: the same bytes (make_outputs.py)."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kaldi_bridge.c_random import CRandom
from kaldi_bridge.command import run
from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.input_stream import InputStream
from kaldi_bridge.io.matrix_files import read_matrix_file
from kaldi_bridge.rnnlm.example_sampling import ExampleSampler
from kaldi_bridge.rnnlm.examples import RNNLM_EXAMPLE, RnnlmExample
from kaldi_bridge.rnnlm.minibatches import ChunkOptions, MinibatchMaker
from kaldi_bridge.rnnlm.sampling_lm import read_sampling_lm, write_sampling_lm
from kaldi_bridge.rnnlm.sentences import weighted_sentences
from kaldi_bridge.tables import SequentialReader, TableWriter
from tests.helpers.twins import twin
from tests.kaldi_bridge.rnnlm.make_outputs import CALLS, FOLDER, command

SUMS = json.loads((FOLDER / "sums.json").read_text())
OPTIONS = ChunkOptions(40, 4, 8, 1, num_samples=14)


@pytest.mark.parametrize("name", CALLS)
def test_kaldis_bytes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    program, arguments = command(name)
    assert run(twin(program), arguments) == 0
    made = (tmp_path / name).read_bytes()
    kept = FOLDER / name
    assert not kept.exists() or made == kept.read_bytes()
    assert hashlib.sha256(made).hexdigest().startswith(SUMS[name])


def sampled_examples(num_threads: int, seed: int = 0, waiting: int = 4) -> list[RnnlmExample]:
    sampler = ExampleSampler(read_sampling_lm(str(FOLDER / "sampling.lm")), OPTIONS)
    random = CRandom(seed)
    plain = MinibatchMaker(OPTIONS, random).examples(weighted_sentences(str(FOLDER / "text.int")))
    return list(sampler.sample_all(plain, random, num_threads, waiting))


def bytes_of(examples: list[RnnlmExample], path: Path) -> bytes:
    with TableWriter(f"ark:{path}", RNNLM_EXAMPLE) as writer:
        for number, example in enumerate(examples):
            writer.write(str(number), example)
    return path.read_bytes()


def test_samples_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    one, several, other = (bytes_of(sampled_examples(*args), tmp_path / "e") for args in ((1,), (3,), (1, 2)))
    assert one == several != other


def test_samples_are_what_they_should_be() -> None:
    for example in sampled_examples(0):
        assert example.has_samples and example.sample_group_size == 2
        sampled = example.sampled_words.reshape(4, 14)
        assert (sampled[:, 1:] > sampled[:, :-1]).all()
        assert (example.sample_inv_probs >= 0.999).all()
        inverse = example.sample_inv_probs.reshape(4, 14)
        outputs = example.output_words.reshape(4, 8)
        for group in range(4):  # what is predicted is sampled for sure
            assert (abs(inverse[group][outputs[group]] - 1.0) < 1e-6).all()


@pytest.mark.parametrize("binary", [True, False])
def test_read_and_written_again(binary: bool, tmp_path: Path) -> None:
    path, again = str(tmp_path / "lm"), str(tmp_path / "again")
    write_sampling_lm(path, binary, read_sampling_lm(str(FOLDER / "sampling.lm")))
    write_sampling_lm(again, True, read_sampling_lm(path))
    read, kept = read_sampling_lm(again), read_sampling_lm(str(FOLDER / "sampling.lm"))
    for length in (1, 2):
        states = [{tuple(history): rest for history, *rest in model.states(length)} for model in (read, kept)]
        assert states[0].keys() == states[1].keys()
        for history, (backoff, words, probabilities) in states[1].items():
            mine = states[0][history]
            assert mine[0] == pytest.approx(backoff, rel=1e-6)
            assert mine[1].tolist() == words.tolist()
            assert mine[2] == pytest.approx(probabilities, rel=1e-6)

    form = "ark" if binary else "ark,t"
    examples = sampled_examples(0)[:3]
    with TableWriter(f"{form}:{path}", RNNLM_EXAMPLE) as writer:
        for number, example in enumerate(examples):
            writer.write(str(number), example)
    with SequentialReader(f"ark:{path}", RNNLM_EXAMPLE) as reader:
        for (_, found), example in zip(reader, examples, strict=True):
            assert (found.output_words == example.output_words).all()
            assert found.sample_inv_probs == pytest.approx(example.sample_inv_probs, rel=1e-6)
            assert found.output_weights.tolist() == pytest.approx(example.output_weights.tolist())


def test_examples_that_make_no_sense(tmp_path: Path) -> None:
    """What would be read from beside the arrays in training."""
    good = sampled_examples(0)[0]
    plain = next(MinibatchMaker(OPTIONS, CRandom(0)).examples(weighted_sentences(str(FOLDER / "text.int"))))
    for example, changes in [
        (good, {"output_words": good.output_words + 14}),
        (good, {"sampled_words": good.sampled_words + 40}),
        (good, {"sample_inv_probs": good.sample_inv_probs[1:]}),
        (good, {"input_words": good.input_words - 40}),
        (good, {"sample_group_size": 3}),
        (good, {"num_samples": 13}),
        (good, {"num_chunks": 0}),
        (plain, {"output_words": plain.output_words * 0}),
        (plain, {"output_weights": plain.output_weights[:-1]}),
    ]:
        bytes_of([replace(example, **changes)], tmp_path / "egs")
        with (
            pytest.raises(KaldiError, match="an RNNLM example of"),
            SequentialReader(f"ark:{tmp_path}/egs", RNNLM_EXAMPLE) as reader,
        ):
            list(reader)


def test_damaged_files(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    """A model or an example that ends early, or with any byte changed, is an error, or reads as something else."""
    model = (FOLDER / "sampling.lm").read_bytes()
    text = str(FOLDER / "text.int")
    for size in range(0, len(model), 97):
        (tmp_path / "lm").write_bytes(model[:size])
        assert run(twin("rnnlm-get-egs"), [str(tmp_path / "lm"), text, f"ark:{tmp_path}/egs"]) == 255
        assert not (tmp_path / "egs").exists()
    capfd.readouterr()
    example = bytes_of(sampled_examples(0)[:1], tmp_path / "e")[len("0 ") :]
    for at in range(2, len(example), 31):
        changed = example[:at] + bytes([example[at] ^ 0x81]) + example[at + 1 :]
        try:
            read = RNNLM_EXAMPLE.read(InputStream.from_bytes(changed))
        except Exception as error:
            assert type(error).__name__ == "KaldiError", (at, error)
        else:
            assert read.input_words.max() < read.vocab_size


@pytest.mark.parametrize("binary", ["true", "false"])
def test_embeddings_of_words(binary: str, tmp_path: Path) -> None:
    """What Kaldi's rnnlm-get-word-embedding writes for these is in tests/kaldi_bridge/lang/test_word_features.py."""
    feats, matrix, out = (str(tmp_path / name) for name in ("feats", "matrix", "out"))
    Path(feats).write_text("0\n1 0 1.0 1 0.5\n2 1 2\n")
    Path(matrix).write_text(" [ 0.1 0.2\n -0.4 0.6 ]\n")
    assert run(twin("rnnlm-get-word-embedding"), [f"--binary={binary}", feats, matrix, out]) == 0
    assert Path(out).read_bytes().startswith(b"\0B" if binary == "true" else b" [")
    assert read_matrix_file(out).ravel().tolist() == pytest.approx([0, 0, -0.1, 0.5, -0.8, 1.2])
    Path(feats).write_text("0\n1 2 1.0\n")
    assert run(twin("rnnlm-get-word-embedding"), [feats, matrix, str(tmp_path / "none")]) == 255
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rnnlm-get-egs text.int ark:OUT", "The --vocab-size option must be provided."),
        ("rnnlm-get-egs --vocab-size=40 --brk-symbol=2 text.int ark:OUT", "must be specified, >0, and all different"),
        ("rnnlm-get-egs --vocab-size=40 --chunk-length=12 text.int ark:OUT", "more than 4 times --min-split-context"),
        ("rnnlm-get-egs --vocab-size=40 --sample-group-size=5 text.int ark:OUT", "must divide --chunk-length"),
        ("rnnlm-get-egs --vocab-size=40 --num-samples=100 text.int ark:OUT", "--num-samples must be 0, or at least"),
        ("rnnlm-get-egs --vocab-size=20 text.int ark:OUT", "words are from 1 to 19"),
        ("rnnlm-get-egs --vocab-size=40 bad.int ark:OUT", "line 2: Could not interpret input: '1.0 5 x'"),
        ("rnnlm-get-egs --vocab-size=40 empty.int ark:OUT", "line 1: Could not interpret input: ''"),
        ("rnnlm-get-egs --vocab-size=40 none.int ark:OUT", "No such file"),
        ("rnnlm-get-egs --vocab-size=30 sampling.lm text.int ark:OUT", "inconsistent with the language model"),
        ("rnnlm-get-egs --bos-symbol=5 sampling.lm text.int ark:OUT", "predicts <s>: is --bos-symbol right?"),
        ("rnnlm-get-egs few.txt sampling.arpa text.int ark:OUT", "'w10' not in symbol table"),
        ("rnnlm-get-egs --num-threads=3 --num-threads-total=2 sampling.lm text.int ark:OUT", "must be >= num-threads"),
        ("rnnlm-get-egs --num-samples=8 --num-chunks-per-minibatch=4 sampling.lm text.int ark:OUT", "different words"),
        ("rnnlm-get-sampling-lm text.int OUT", "--vocab-size=-1 must be more than 2"),
        ("rnnlm-get-sampling-lm --vocab-size=20 text.int OUT", "is not from 1 to --vocab-size - 1 = 19"),
        ("rnnlm-get-sampling-lm --vocab-size=40 --unigram-power=0.1 text.int OUT", "--unigram-power must be"),
        ("rnnlm-get-sampling-lm --vocab-size=40 --bos-factor=101 text.int OUT", "--bos-factor must be"),
        ("rnnlm-get-sampling-lm --vocab-size=40 /dev/null OUT", "There are no counts"),
        ("rnnlm-get-sampling-lm --vocab-size=40 negative.int OUT", "a negative weight"),
        ("rnnlm-get-sampling-lm text.int few.txt OUT", "is not from 1 to"),
        ("rnnlm-get-sampling-lm --vocab-size=40 text.int few.txt OUT", "Word-id 10 not in symbol table"),
    ],
)
def test_bad_input(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    for name in ("text.int", "words.txt", "sampling.lm", "sampling.arpa"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "bad.int").write_text("1.0 5 6\n1.0 5 x\n")
    (tmp_path / "empty.int").write_text("\n")
    (tmp_path / "negative.int").write_text("-1 5 6\n")
    (tmp_path / "few.txt").write_text("".join((FOLDER / "words.txt").read_text().splitlines(keepends=True)[:10]))
    monkeypatch.chdir(tmp_path)
    program, *rest = arguments.split()
    assert run(twin(program), rest) == 255
    assert message in capfd.readouterr().err
    assert not (tmp_path / "OUT").exists()
