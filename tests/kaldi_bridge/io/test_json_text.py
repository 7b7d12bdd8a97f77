import pytest

from kaldi_bridge.errors import KaldiError
from kaldi_bridge.io.json_text import parse_json


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("{", r"not JSON \(Expecting"),
        (b"\xff{}", "not JSON"),
        ("[1]", "no object"),
        ("[" * 100_000 + "]" * 100_000, "too many levels"),
        ('{"a":' * 100_000, "too many levels"),
    ],
)
def test_what_is_no_object_is_named_with_the_reason(data: str | bytes, problem: str) -> None:
    with pytest.raises(KaldiError, match=f"^x.json: .*{problem}"):
        parse_json(data, "x.json")


def test_an_object() -> None:
    assert parse_json(b'{"a": [1, {"b": null}]}', "x.json") == {"a": [1, {"b": None}]}
