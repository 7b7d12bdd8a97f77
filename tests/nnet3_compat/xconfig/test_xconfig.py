"""xconfig files become the configs that Kaldi's xconfig_to_configs.py writes, line by line."""

import contextlib
import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.errors import KaldiError
from nnet3_compat.model.model_file import read_nnet
from nnet3_compat.structure.context import compute_context
from nnet3_compat.structure.nnet import Nnet
from nnet3_compat.xconfig import config_lines, parse_xconfig
from nnet3_compat.xconfig.layer import LAYERS

INPUTS = ["input name=ivector dim=10", "input name=input dim=40"]
OUTPUT = "output-layer name=output dim=20"


def statements(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def final(*lines: str) -> list[str]:
    return config_lines(parse_xconfig([*INPUTS, *lines, OUTPUT]))["final"]


def test_zoo(reference: Path) -> None:
    xconfigs = sorted((reference / "zoo").glob("*/network.xconfig"))
    xconfigs = [path for path in xconfigs if path.parent.name != "misc-components"]  # this one is a config already
    assert len(xconfigs) == 8
    for xconfig in xconfigs:
        theirs = gzip.decompress((xconfig.parent / "final.config.gz").read_bytes()).decode()
        layers = parse_xconfig(xconfig.read_text().splitlines())
        assert config_lines(layers)["final"] == statements(theirs), xconfig.parent.name


@pytest.mark.parametrize("network", ["tdnnf", "tdnnf_cmvn"])
def test_command_writes_what_kaldi_writes(reference: Path, tmp_path: Path, network: str) -> None:
    configs = reference / "fsdd" / network / "configs"
    command = [sys.executable, "-m", "nnet3_compat.commands.models.xconfig_to_config"]
    command += ["--xconfig-file", str(configs / "network.xconfig"), "--config-dir", f"exp/chain/{network}/configs"]
    made = tmp_path / "exp" / "chain" / network / "configs"  # idct.mat is written where the xconfig says
    made.mkdir(parents=True)
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    for name in ("final.config", "ref.config", "xconfig.expanded.1", "xconfig.expanded.2"):
        assert statements((made / name).read_text()) == statements((configs / name).read_text()), name
    assert (made / "vars").read_text() == (configs / "vars").read_text()
    ours, theirs = read_nnet(str(made / "ref.raw")), read_nnet(str(configs / "ref.raw"))
    assert compute_context(ours) == compute_context(theirs)
    assert [node.name for node in ours.nodes] == [node.name for node in theirs.nodes]


# What a layer type needs besides name and input, where "dim=30" would not do.
ATTENTION = "num-heads=2 key-dim=8 value-dim=9 num-left-inputs=3 num-right-inputs=1 time-stride=1"
CONVOLUTION = "height-in=10 height-out=10 num-filters-out=4 height-offsets=-1,0,1 time-offsets=-1,0,1"
OPTIONS = {
    "batchnorm-component": "",
    "channel-average-layer": "dim=20",
    "combine-feature-maps-layer": "num-filters1=1 num-filters2=1 height=20",
    "delta-layer": "",
    "dim-range-component": "dim=10 dim-offset=5",
    "no-op-component": "",
    "offset-component": "",
    "prefinal-layer": "big-dim=30 small-dim=12",
    "renorm-component": "",
    "res-block": "height=10 num-filters=4 num-bottleneck-filters=2",
    "res2-block": "height-in=10 height-out=5 num-filters=8 time-period=2",
    "scale-component": "",
    "spec-augment-layer": "",
    "stats-layer": "config=mean+stddev(-9:3:3:9)",
    "tdnnf-layer": "dim=40 bottleneck-dim=8 time-stride=2",
}
READ_FILES_OR_END = {"input", "output", "output-layer", "fixed-affine-layer", "idct-layer"}


def options_of(layer_type: str) -> str:
    if layer_type in OPTIONS:
        return OPTIONS[layer_type]
    if "attention" in layer_type:
        return ATTENTION
    if re.search(r"\b(no)?conv\b", layer_type):
        return CONVOLUTION
    if re.search(r"gru|lstm", layer_type):
        projected = re.search(r"lstmp|pgru", layer_type)
        options = " recurrent-projection-dim=8 non-recurrent-projection-dim=6" if projected else ""
        return f"cell-dim=24{options}" + (" bottleneck-dim=7" if "lstmb" in layer_type else "")
    return "dim=30"


@pytest.mark.parametrize("layer_type", sorted(set(LAYERS) - READ_FILES_OR_END))
def test_every_layer_type_makes_a_network(layer_type: str) -> None:
    line = f"{layer_type} name=x input=input {options_of(layer_type)}"
    nnet = Nnet.from_config(final(line, "relu-layer name=last dim=12 input=x"))
    assert nnet.node_dim("output") == 20
    assert nnet.node_dim("last.affine") == 12
    assert str(parse_xconfig([*INPUTS, line])[-1]).startswith(f"{layer_type} name=x ")


def test_shorthands_of_descriptors() -> None:
    offsets = final("relu-layer name=a dim=8 input=Append(-1,0,2,ReplaceIndex(ivector, t, 0))")
    assert "input=Append(Offset(input, -1), input, Offset(input, 2), ReplaceIndex(ivector, t, 0))" in offsets[3]
    earlier = final(
        "relu-layer name=a dim=8", "relu-layer name=b dim=8", "relu-layer name=c dim=8 input=Sum([-1],[-2])"
    )
    assert any(line.endswith("input=Sum(b.relu, a.relu)") for line in earlier)
    at = final("relu-layer name=a dim=8 input=Append(input@-3,input)")
    assert "Append(Offset(input, -3), input)" in at[3]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("relu-layer dim=8", "expected name="),
        ("relu-layer name=8a dim=8", "expected name="),
        ("relu-layer name=input dim=8", "used for another layer"),
        ("relu-layer name=a dim=eight", "dim=eight: expected an integer"),
        ("relu-layer name=a dim=8 dims=9", "has no option dims=9"),
        ("relu-layer name=a dim=8 input=nowhere", "nowhere"),
        ("relu-layer name=a dim=8 input=[-4]", r"-4"),
        ("relu-layer name=a dim=8 input=Append(input", "Append"),
        ("relu-layer name=a dim=8 dim=9", "dim"),
        ("relo-layer name=a dim=8", "no layer type relo-layer"),
        ("lstm-layer name=a cell-dim=8 delay=0", "delay cannot be zero"),
        ("lstmp-layer name=a cell-dim=8 recurrent-projection-dim=6 non-recurrent-projection-dim=6", "exceed"),
        ("gru-layer name=a cell-dim=8 decay-time=20", "has no option decay-time"),
        ("tdnnf-layer name=a dim=8 bottleneck-dim=0", "bottleneck-dim"),
        ("res-block name=a height=7", "no multiple of the height 7"),
        ("res2-block name=a num-filters=4", "must be given"),
        ("res2-block name=a height-in=20 height-out=10 num-filters=2 time-period=3 input=input", "must be even"),
        (
            "conv-relu-layer name=a height-in=10 height-out=10 num-filters-out=4 height-offsets=1,0 time-offsets=0",
            "1,0",
        ),
        ("stats-layer name=a config=mean+median(0:1:1:0)", "median"),
    ],
)
def test_errors_name_the_line(line: str, what: str) -> None:
    with pytest.raises(KaldiError, match=re.escape(what).replace(r"\ ", " ")) as raised:
        final(line)
    assert line in str(raised.value)


def test_no_output_is_an_error() -> None:
    with pytest.raises(KaldiError, match="no output"):
        config_lines(parse_xconfig([*INPUTS, "relu-layer name=a dim=8"]))
    with pytest.raises(KaldiError, match="no layers"):
        parse_xconfig(["# only a comment", ""])


def test_command_reports_a_missing_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nnet3_compat.commands.models.xconfig_to_config"]
    command += ["--xconfig-file", str(tmp_path / "none"), "--config-dir", str(tmp_path / "made")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert str(tmp_path / "none") in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made" / "final.config").exists()


@given(st.text(alphabet="abcdinput0123456789-@,()[]=.+ \"'#\n", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(KaldiError):
        parse_xconfig([*INPUTS, f"relu-layer name=a dim=8 input={text}"])
