"""Calls of programs with what Kaldi's own wrote for them: how they are made, kept and compared with ours."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.twins import twin

Case = dict[str, Any]
ERROR = 255


def read_cases(folder: Path) -> list[Case]:
    """Of the calls in the folder, kaldi.json: exit status, standard output, log lines and files in OUT of each."""
    cases: list[Case] = json.loads((folder / "kaldi.json").read_text())
    return cases


def name_of(case: Case) -> str:
    return " ".join([case["program"], *case["arguments"]])


def enter_copy(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a folder of cases, with the OUT that they write to, as the current directory."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    (folder / "OUT").mkdir()
    monkeypatch.chdir(folder)
    return folder


def assert_alike(ours: str, kaldis: str) -> None:
    """The same words, ids and lines; numbers with a point or exponent to 1e-4."""
    for our_line, line in zip(ours.split("\n"), kaldis.split("\n"), strict=True):
        if our_line == line:
            continue
        our_fields, fields = (re.split(r"([\s,]+)", text) for text in (our_line, line))
        assert len(our_fields) == len(fields), f"{our_line!r} is not {line!r}"
        for one, other in zip(our_fields, fields, strict=True):
            number = one != other and re.search(r"[.e]", one + other)
            assert one == other or (number and math.isclose(float(one), float(other), rel_tol=1e-4, abs_tol=1e-4)), (
                f"{our_line!r} is not {line!r}"
            )


def assert_as_kaldi(case: Case, folder: Path) -> None:
    """Runs our program in the folder, the working directory: it ends and writes as Kaldi's, after an error nothing."""
    assert twin(case["program"]).run(case["arguments"]) == case["status"]
    if case["status"] == ERROR:
        return
    for name, content in case["outputs"].items():
        assert_alike((folder / "OUT" / name).read_text(), content)


def make_cases(folder: Path, calls: Sequence[Sequence[str]]) -> None:
    """Writes kaldi.json: runs Kaldi's programs, which are on the PATH, on the files in the folder."""
    cases = []
    for program, *arguments in calls:
        with tempfile.TemporaryDirectory() as name:
            inside = Path(name) / "data"
            shutil.copytree(folder, inside)
            (inside / "OUT").mkdir()
            done = subprocess.run([program, *arguments], cwd=inside, capture_output=True, text=True)
            outputs = {path.name: path.read_text() for path in sorted((inside / "OUT").iterdir())}
            log = re.findall(r"^(?:LOG|WARNING) \([^ ]*\) (.*)", done.stderr, re.MULTILINE)
            cases.append(
                {
                    "program": program,
                    "arguments": arguments,
                    "status": done.returncode,
                    "stdout": done.stdout,
                    "log": log[-1:],
                    "outputs": outputs,
                }
            )
    (folder / "kaldi.json").write_text(json.dumps(cases, indent=1) + "\n")
