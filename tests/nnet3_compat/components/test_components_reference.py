"""Components against the model files and the info lines that Kaldi wrote."""

import gzip
import re

import numpy as np
import pytest

from tests.helpers.component_files import assert_same, dump_components, read_components

ZOO = (
    "attention",
    "blstmp",
    "cnn-tdnnf",
    "misc-components",
    "opgru",
    "stats",
    "tdnn-batchnorm-ivector",
    "tdnn-lstmp-fast",
    "tdnn-renorm",
)


def model_files(reference):
    files = [*reference.glob("zoo/*/model.raw"), *reference.glob("one_step/*.raw")]
    files += [*reference.glob("fsdd/tdnnf*/*.raw"), *reference.glob("fsdd/tdnnf*/final.mdl")]
    assert len(files) > 10
    return sorted(files)


def test_binary_round_trip_is_exact(reference):
    for file in model_files(reference):
        data = file.read_bytes()
        written = dump_components(read_components(data, True), True)
        start = data.index(b"<NumComponents>")
        assert data[start : start + len(written)] == written, file


@pytest.mark.parametrize("name", ZOO)
def test_text_round_trip_is_exact(reference, name):
    data = gzip.decompress((reference / "zoo" / name / "model.txt.gz").read_bytes())
    body = data[data.index(b"<NumComponents>") : data.index(b"</Nnet3>")]
    assert dump_components(read_components(data, False), False) == body


@pytest.mark.parametrize("name", ZOO)
def test_binary_to_text_is_kaldis(reference, name):
    """Equal except for averages of statistics: Kaldi multiplies them by the count and divides again in single precision
    while copying, so its own last digit of seven moves; ours come out as they are in the file."""
    folder = reference / "zoo" / name
    kaldi = gzip.decompress((folder / "model.txt.gz").read_bytes())
    kaldi = kaldi[kaldi.index(b"<NumComponents>") : kaldi.index(b"</Nnet3>")]
    ours = dump_components(read_components((folder / "model.raw").read_bytes(), True), False)
    for theirs, mine in zip(kaldi.split(b" "), ours.split(b" "), strict=True):
        if theirs != mine:
            np.testing.assert_allclose(float(mine), float(theirs), rtol=2e-5)


@pytest.mark.parametrize("name", ZOO)
def test_text_reads_as_binary(reference, name):
    folder = reference / "zoo" / name
    text = read_components(gzip.decompress((folder / "model.txt.gz").read_bytes()), False)
    binary = read_components((folder / "model.raw").read_bytes(), True)
    assert [n for n, _ in text] == [n for n, _ in binary]
    for (_, a), (_, b) in zip(text, binary, strict=True):
        # Variances are small differences of larger numbers.
        assert_same(a, b, rtol=2e-5)


NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?|-nan")
# Where Kaldi's own single-precision rounding is all that there is to see: the mean of biases that sum to zero, and the
# spread of norms that are equal.
ROUNDING = re.compile(r"(bias-\{mean,stddev\}=)-?[\d.]+e-\d+,|(norms=\[[^]]*stddev=)(-nan|[\d.e-]+)\]")


@pytest.mark.parametrize("name", [*ZOO, "fsdd"])
def test_info_lines(reference, name):
    if name == "fsdd":
        info, model = reference / "fsdd/tdnnf/nnet3-am-info.txt", reference / "fsdd/tdnnf/final.mdl"
    else:
        info, model = reference / "zoo" / name / "nnet3-info.txt", reference / "zoo" / name / "model.raw"
    lines = [line for line in info.read_text().splitlines() if line.startswith("component name=")]
    components = read_components(model.read_bytes(), True)
    assert len(lines) == len(components)
    for line, (component_name, component) in zip(lines, components, strict=True):
        mine = f"component name={component_name} type={component.info()}"
        if mine != line:
            assert ROUNDING.sub(r"\1\2", mine) == ROUNDING.sub(r"\1\2", line)
