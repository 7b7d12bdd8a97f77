"""lattice-combine of sorted lattices with states out of reach: their numbers stay, as in Kaldi."""

from pathlib import Path

import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin

ONE = """a
0	5	1	1,1,1_1_1_1_1
1	3	3	0.92,0.47,1_1
1	2	5	0.01,0.84,1
2	5	2	0.19,0.72,1_1_1
3	5	4	0.64,0.15,1_1
3	4	5	0.39,0.02,1
5	0.5,0,
"""
OTHER = """a
0	3	4	0.98,0.88,1_1_1
0	3	2	0.43,0.94,1_1_1
1	3	3	0.96,0.29,1_1
3	5	3	0.81,0.30,1_1
5	0.5,0,
"""
# Of Kaldi's lattice-combine: source, target and word of arcs, and states without any.
KALDIS = [
    "0 5 1",
    "0 6 0",
    "1 3 3",
    "1 2 5",
    "2 5 2",
    "3 5 4",
    "3 4 5",
    "4",
    "5",
    "6 9 4",
    "6 9 2",
    "7 9 3",
    "8",
    "9 11 3",
    "10",
    "11",
]


def test_states_out_of_reach(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, text in (("one", ONE), ("other", OTHER)):
        (tmp_path / name).write_text(text.replace("a\n", "a \n", 1) + "\n")
    assert run(twin("lattice-combine"), [f"ark:{tmp_path}/one", f"ark:{tmp_path}/other", "ark,t:-"]) == 0
    lines = capfd.readouterr().out.splitlines()[1:]
    rows = [line.split("\t") for line in lines if line]
    assert [" ".join(row[:3]) if len(row) > 2 else row[0] for row in rows] == KALDIS
