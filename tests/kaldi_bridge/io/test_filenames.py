"""Kinds of extended filenames and table specifiers, as util/kaldi-io.cc and kaldi-table.cc tell them apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaldi_bridge.io.filenames import classify_input, classify_output, quote
from kaldi_bridge.io.specifiers import Rspecifier, Wspecifier, is_token, parse_rspecifier, parse_wspecifier


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "stdin"),
        ("-", "stdin"),
        ("foo", "file"),
        ("ark.mdl", "file"),
        ("a:b", "file"),
        ("foo:123", "offset"),
        ("c:\\d:12", "offset"),
        (":12", "file"),
        ("foo12", "file"),
        ("cat foo |", "pipe"),
        (" cat foo|", "pipe"),
        ("| cat", "none"),
        ("a | b", "none"),
        (" foo", "none"),
        ("foo ", "none"),
        ("foo\n", "none"),
        ("ark:foo", "none"),
        ("scp,t:foo", "none"),
        ("ark,s,cs:foo", "none"),
        ("t,ark:foo", "file"),
        ("ark,nonsense:foo", "file"),
    ],
)
def test_inputs(name, kind):
    assert classify_input(name) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "stdout"),
        ("-", "stdout"),
        ("foo", "file"),
        ("|cat >foo", "pipe"),
        ("| cat |", "pipe"),
        ("foo:123", "none"),
        ("foo|", "none"),
        ("a|b", "none"),
        ("foo ", "none"),
        ("ark,scp:a,b", "none"),
        ("ark:foo", "none"),
    ],
)
def test_outputs(name, kind):
    assert classify_output(name) == kind


def test_rspecifiers():
    assert parse_rspecifier("ark:foo") == Rspecifier("ark", "foo")
    assert parse_rspecifier("scp,p,bg:-") == Rspecifier("scp", "-", permissive=True, background=True)
    assert parse_rspecifier("b,o,s,cs,ark:a:b") == Rspecifier("ark", "a:b", once=True, sorted=True, called_sorted=True)
    assert parse_rspecifier("o,no,s,ns,cs,ncs,p,np,t,ark:x") == Rspecifier("ark", "x")
    assert parse_rspecifier("ark s:x") == Rspecifier("ark", "x", sorted=True)
    for bad in ("", "foo", "ark", "t:x", "ark,scp:x", "ark,ark:x", "ark, s:x", "arc:x", "ark,:x", "ark:x ", "ark,f:x"):
        assert parse_rspecifier(bad) is None, bad


def test_wspecifiers():
    assert parse_wspecifier("ark:foo") == Wspecifier("foo", None)
    assert parse_wspecifier("ark,t,f:-") == Wspecifier("-", None, binary=False, flush=True)
    assert parse_wspecifier("scp,p:x") == Wspecifier(None, "x", permissive=True)
    assert parse_wspecifier("ark,scp:a,b,c") == Wspecifier("a", "b,c")
    assert parse_wspecifier("t,b,f,nf,ark:x") == Wspecifier("x", None)
    for bad in ("", "foo", "scp,ark:a,b", "ark,scp:a", "ark,ark:a", "ark,s:a", "ark,cs:a", "t:a", "ark:a\n"):
        assert parse_wspecifier(bad) is None, bad


def test_tokens():
    assert is_token("a-b_c") and is_token("é") and is_token("<eps>")
    for bad in ("", "a b", "a\n", "\t", "\0"):
        assert not is_token(bad)


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("a=b/c", "a=b/c"), ("", "''"), ("a b", "'a b'"), ("it's", '"it\'s"'), ("'$x'", r"''\''$x'\'''")],
)
def test_quoting(word, quoted):
    assert quote(word) == quoted


SPECIFIERS = st.lists(st.sampled_from(["ark", "scp", "t", "b", "s", "cs", "p", "o", ",", ":", " ", "x", "|", "-"])).map(
    "".join
)


@given(st.text() | SPECIFIERS)
def test_any_text_has_a_kind(text):
    assert classify_input(text) in ("stdin", "file", "offset", "pipe", "none")
    assert classify_output(text) in ("stdout", "file", "pipe", "none")
    parse_rspecifier(text)
    parse_wspecifier(text)
