"""``import nnet3_compat``: the names that docs/python.md documents, imported when they are first used."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import warnings

import pytest

import nnet3_compat
from tests.helpers.places import ROOT


def test_every_name_is_there_and_documented() -> None:
    table = (ROOT / "docs/python.md").read_text().partition("```")[0]
    for name in nnet3_compat.__all__:
        assert getattr(nnet3_compat, name).__name__ == name
        assert re.search(rf"\b{name}\b", table), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = nnet3_compat.nothing


def test_importing_it_imports_nothing() -> None:
    program = "import sys, nnet3_compat, nnet3_compat.network, nnet3_compat.export; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


def test_names_of_earlier_versions() -> None:
    assert importlib.import_module("nnet3_compat.network").Network is nnet3_compat.Network
    assert importlib.import_module("nnet3_compat.export").wrap is nnet3_compat.wrap
    sys.modules.pop("nnet3_compat.model_file", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old = importlib.import_module("nnet3_compat.model_file")
    assert old.read_model is nnet3_compat.read_model
    assert [w.category for w in caught] == [DeprecationWarning]
