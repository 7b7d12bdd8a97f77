"""Images are changed as Kaldi's nnet3-egs-augment-image changes them with the same seed (kept in augmented/)."""

from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.examples.frame_examples import EXAMPLE, NnetExample, NnetIo
from kaldi_bridge.examples.image_augmentation import transformed
from kaldi_bridge.io.compressed import CompressedMatrix
from kaldi_bridge.io.sparse import to_dense
from kaldi_bridge.tables import SequentialReader, TableWriter
from tests.helpers.twins import twin

KALDIS = Path(__file__).parent / "augmented"
CASES = {
    "flipped": ["--horizontal-flip-prob=1"],
    "shifted": ["--srand=1", "--horizontal-shift=0.4", "--vertical-shift=0.5"],
    "turned": ["--srand=2", "--rotation-prob=1", "--rotation-degree=40"],
    "all": [
        "--srand=3", "--rotation-prob=0.5", "--rotation-degree=60", "--horizontal-flip-prob=0.5",
        "--horizontal-shift=0.3", "--vertical-shift=0.3", "--fill-mode=reflect",
    ],
}  # fmt: skip
IMAGES = f"ark:{KALDIS}/images.egs"


def examples(path: Path) -> list[tuple[str, NnetExample]]:
    return list(SequentialReader(f"ark:{path}", EXAMPLE))


@pytest.mark.parametrize("name", list(CASES))
def test_as_kaldi(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Pixels to 1e-6, of numbers below one; the rest exactly."""
    arguments = ["--num-channels=3", *CASES[name], IMAGES, f"ark:{tmp_path}/egs"]
    assert run(twin("nnet3-egs-augment-image"), arguments) == 0
    assert "Perturbed 3 neural-network training images." in capfd.readouterr().err
    for (key, made), (kaldis_key, kaldis) in zip(
        examples(tmp_path / "egs"), examples(KALDIS / f"{name}.egs"), strict=True
    ):
        assert key == kaldis_key
        for part, kaldis_part in zip(made.io, kaldis.io, strict=True):
            assert part.name == kaldis_part.name and np.array_equal(part.indexes, kaldis_part.indexes)
            np.testing.assert_allclose(to_dense(part.features), to_dense(kaldis_part.features), atol=1e-6)


def test_nothing_to_do(tmp_path: Path) -> None:
    """Without options images stay, but a compressed one is not compressed any more."""
    image = CompressedMatrix.compress(np.arange(12, dtype=np.float32).reshape(3, 4), 1)
    indexes = np.array([(0, t, 0) for t in range(3)], np.int32)
    with TableWriter(f"ark:{tmp_path}/in", EXAMPLE) as writer:
        writer.write("image", NnetExample([NnetIo("input", indexes, image)]))
    assert run(twin("nnet3-egs-augment-image"), [f"ark:{tmp_path}/in", f"ark:{tmp_path}/out"]) == 0
    made = examples(tmp_path / "out")[0][1].io[0].features
    assert isinstance(made, np.ndarray) and np.array_equal(made, to_dense(image))


def test_beyond_the_border() -> None:
    """A shift by three pixels to the left and by one and a half down, of an image of one channel."""
    pixels = np.arange(8, dtype=np.float32).reshape(4, 2, 1)
    shift = np.array([[1, 0, 3], [0, 1, 0], [0, 0, 1]], np.float32)
    assert transformed(pixels, shift, reflect=False)[:, 0, 0].tolist() == [6, 6, 6, 6]
    assert transformed(pixels, shift, reflect=True)[:, 0, 0].tolist() == [6, 4, 2, 0]
    shift = np.array([[1, 0, 0], [0, 1, 1.5], [0, 0, 1]], np.float32)
    assert transformed(pixels, shift, reflect=False)[0, :, 0].tolist() == [1, 1]
    assert transformed(pixels, shift, reflect=True)[0, :, 0].tolist() == [0.5, 0.5]
    one = np.ones((1, 1, 1), np.float32)
    assert transformed(one, shift, reflect=True).tolist() == [[[1]]]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--num-channels=0", "--num-channels=0 must be at least 1"),
        ("--num-channels=5", "an image of 12 columns cannot have --num-channels=5"),
        ("--fill-mode=wrap", "Choices for --fill-mode are 'nearest' or 'reflect', got: wrap"),
        ("--horizontal-shift=1.5", "--horizontal-shift=1.5 must be between 0 and 1"),
        ("--rotation-degree=200", "--rotation-degree=200 must be between 0 and 180"),
    ],
)
def test_wrong_options(option: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(twin("nnet3-egs-augment-image"), [option, IMAGES, f"ark:{tmp_path}/egs"]) == 255
    assert message in capfd.readouterr().err and not (tmp_path / "egs").exists()


def test_wrong_examples(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main = twin("nnet3-egs-augment-image")
    with TableWriter(f"ark:{tmp_path}/in", EXAMPLE) as writer:
        writer.write(
            "targets", NnetExample([NnetIo("output", np.zeros((1, 3), np.int32), np.ones((1, 2), np.float32))])
        )
    assert run(main, [f"ark:{tmp_path}/in", f"ark:{tmp_path}/out"]) == 255
    assert "example targets: Nnet example to perturb had no NnetIo object named 'input'" in capfd.readouterr().err
    (tmp_path / "empty").write_bytes(b"")
    assert run(main, [f"ark:{tmp_path}/empty", f"ark:{tmp_path}/out"]) == 1
