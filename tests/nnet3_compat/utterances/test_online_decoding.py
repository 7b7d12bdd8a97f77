"""Decoding online: the lattices of decoding offline, of what is the same there, and of Kaldi's program."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kaldi_bridge.command import run
from kaldi_bridge.commands.featbin import wav_copy
from kaldi_bridge.commands.online2bin import apply_cmvn_online, ivector_extract_online2
from kaldi_bridge.features.extractor import FeatureExtractor
from kaldi_bridge.features.options import MfccOptions
from kaldi_bridge.features.resampling import resampled
from kaldi_bridge.fsts.fst import write_fst
from kaldi_bridge.graphs.grammar_fst import GrammarFst
from kaldi_bridge.io.streams import open_input
from kaldi_bridge.io.wave import Wave
from kaldi_bridge.lattices.lattice import CompactLattice
from kaldi_bridge.lattices.lattice_files import COMPACT_LATTICE
from kaldi_bridge.options import read_options
from kaldi_bridge.tables import SequentialReader, TableWriter
from kaldi_bridge.tables.holders import FLOAT_MATRIX, WAVE
from nnet3_compat.commands.nnet3bin import nnet3_latgen_faster as latgen_faster
from nnet3_compat.commands.online2bin import online2_wav_nnet3_latgen_faster as online2_wav_latgen_faster
from nnet3_compat.commands.online2bin import online2_wav_nnet3_latgen_grammar as online2_wav_latgen_grammar

GRAMMAR = Path(__file__).parents[1] / "commands/nnet3bin/grammar"
SEARCH = ["--acoustic-scale=1.0", "--frame-subsampling-factor=3", "--beam=15.0", "--lattice-beam=6.0"]


@pytest.fixture
def fsdd(reference: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(reference / "fsdd")
    return reference / "fsdd"


@pytest.fixture
def speech(fsdd: Path, tmp_path: Path) -> Path:
    """Three utterances of a speaker, one of which is nowhere, with features and the options of what comes online."""
    (tmp_path / "spk2utt").write_text("theo theo-000 theo-nowhere theo-001 theo-002\n")
    (tmp_path / "mfcc.conf").write_text((fsdd / "conf/mfcc_hires.conf").read_text() + "--dither=0\n")
    extractor = FeatureExtractor(read_options(str(tmp_path / "mfcc.conf"), MfccOptions))
    with (
        SequentialReader(f"scp:head -n 3 {fsdd}/data/test/wav.scp |", WAVE) as waves,
        TableWriter(f"ark,scp:{tmp_path}/feats.ark,{tmp_path}/feats.scp", FLOAT_MATRIX) as feats,
    ):
        for key, wave in waves:
            feats.write(key, extractor(wave.data[0], wave.sample_frequency))
    lines = [f"--mfcc-config={tmp_path}/mfcc.conf", "--endpoint.silence-phones=1:2:3:4:5:6:7:8:9:10"]
    (tmp_path / "online.conf").write_text("\n".join(lines) + "\n")
    splice = (fsdd / "ivector_extractor/splice_opts").read_text().replace(" ", "\n")
    (tmp_path / "splice.conf").write_text(splice)
    (tmp_path / "cmvn.conf").write_text("")
    names = {"lda-matrix": "final.mat", "global-cmvn-stats": "global_cmvn.stats", "diag-ubm": "final.dubm"}
    options = [
        f"--{name}=ivector_extractor/{file}" for name, file in {**names, "ivector-extractor": "final.ie"}.items()
    ]
    options += [f"--splice-config={tmp_path}/splice.conf", f"--cmvn-config={tmp_path}/cmvn.conf"]
    (tmp_path / "ivectors.conf").write_text("\n".join(options) + "\n")
    return tmp_path


WAVES = "scp:data/test/wav.scp"


def online(folder: Path, model: str, *options: str, waves: str = WAVES) -> dict[str, CompactLattice]:
    tables = [f"ark:{folder}/spk2utt", waves, f"ark:{folder}/online.ark"]
    arguments = [f"--config={folder}/online.conf", *SEARCH, *options, f"{model}/final.mdl", "graph/HCLG.fst", *tables]
    assert run(online2_wav_latgen_faster.main, arguments) == 0
    return read(folder / "online.ark")


def offline(folder: Path, model: str, feats: str, *options: str) -> dict[str, CompactLattice]:
    tables = [feats, f"ark:{folder}/offline.ark"]
    assert run(latgen_faster.main, [*SEARCH, *options, f"{model}/final.mdl", "graph/HCLG.fst", *tables]) == 0
    return read(folder / "offline.ark")


def read(path: Path) -> dict[str, CompactLattice]:
    return dict(SequentialReader(f"ark:{path}", COMPACT_LATTICE))


def assert_same(found: dict[str, CompactLattice], expected: dict[str, CompactLattice]) -> None:
    """Same arcs; costs to 1e-2, sums over an utterance of outputs that agree to 1e-4."""
    assert found.keys() == expected.keys() and found
    for key, lattice in expected.items():
        for mine, theirs in zip(found[key].to_lists()[0], lattice.to_lists()[0], strict=True):
            assert [(arc[0], arc[3], arc[4]) for arc in mine] == [(arc[0], arc[3], arc[4]) for arc in theirs]
            np.testing.assert_allclose([arc[1:3] for arc in mine], [arc[1:3] for arc in theirs], atol=1e-2)


def test_normalized_online_as_offline(speech: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Features normalized with what came before, of the speaker's utterances before too; any length of the pieces."""
    settings = ["--cmn-window=100", "--speaker-frames=80", "--global-frames=50", "--norm-vars=true"]
    (speech / "nnet_cmvn.conf").write_text("\n".join(settings) + "\n")
    arguments = [*settings, f"--spk2utt=ark:{speech}/spk2utt"]
    tables = ["ivector_extractor/global_cmvn.stats", f"scp:{speech}/feats.scp", f"ark:{speech}/normalized.ark"]
    assert run(apply_cmvn_online.main, [*arguments, *tables]) == 0
    expected = offline(speech, "tdnnf_cmvn", f"ark:{speech}/normalized.ark")
    assert len(expected) == 3
    settings = [f"--cmvn-config={speech}/nnet_cmvn.conf", "--global-cmvn-stats=ivector_extractor/global_cmvn.stats"]
    for more in (["--chunk-length=0.07"], ["--chunk-length=-1"], ["--frames-per-chunk=60"]):
        assert_same(online(speech, "tdnnf_cmvn", *settings, *more), expected)
    errors = capfd.readouterr().err
    assert "Did not find audio for utterance theo-nowhere" in errors
    assert "Timing stats: real-time factor was" in errors and "Decoded 3 utterances, 1 with errors." in errors


def test_grammar_of_several_graphs(speech: Path) -> None:
    """What is put together while decoding gives what it does put together beforehand."""
    path = GRAMMAR / "grammar.fst"
    with open_input(str(path)) as stream:
        write_fst(str(speech / "whole.fst"), GrammarFst.read(stream).expanded())
    found = []
    for main, graph in (
        (online2_wav_latgen_grammar.main, path),
        (online2_wav_latgen_faster.main, speech / "whole.fst"),
    ):
        tables = [f"ark:{speech}/spk2utt", WAVES, f"ark:{speech}/online.ark"]
        arguments = [f"--config={speech}/online.conf", *SEARCH, "tdnnf_cmvn/final.mdl", str(graph), *tables]
        assert run(main, arguments) == 0
        found.append(read(speech / "online.ark"))
    assert len(found[0]) == 3
    assert_same(*found)


def test_whole_utterances_with_ivectors(speech: Path) -> None:
    """All at once, i-vectors read ahead: the last one of the utterance for all of it, as offline."""
    tables = [f"ark:{speech}/spk2utt", f"scp:{speech}/feats.scp", f"ark:{speech}/ivectors.ark"]
    settings = [f"--config={speech}/ivectors.conf", "--ivector-period=1"]
    assert run(ivector_extract_online2.main, [*settings, *tables]) == 0
    with TableWriter(f"ark:{speech}/last.ark", FLOAT_MATRIX) as writer:
        for key, ivectors in SequentialReader(f"ark:{speech}/ivectors.ark", FLOAT_MATRIX):
            writer.write(key, ivectors[-1:])
    options = [f"--online-ivectors=ark:{speech}/last.ark", "--online-ivector-period=100000"]
    expected = offline(speech, "tdnnf", f"scp:{speech}/feats.scp", *options)
    extraction = f"--ivector-extraction-config={speech}/ivectors.conf"
    assert_same(online(speech, "tdnnf", extraction, "--online=false"), expected)


def sorted_arcs(lattice: CompactLattice) -> list[tuple]:
    """(word, transition-ids, graph cost, acoustic cost) of each, in an order that rounding does not change."""
    arcs = [(arc[0], arc[3], arc[1], arc[2]) for every in lattice.to_lists()[0] for arc in every]
    return sorted(arcs, key=lambda arc: (arc[0], arc[1], round(arc[2], 2), round(arc[3], 1)))


@pytest.mark.skipif("KALDI_ROOT" not in os.environ, reason="needs KALDI_ROOT, Kaldi's programs")
@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--online=false"],
        ["--do-endpointing=true", "--endpoint.rule2.min-trailing-silence=0.06"],
        ["--chunk-length=0.05", "--extra-left-context-initial=7"],
        [
            "--ivector-silence-weighting.silence-phones=1:2:3:4:5",
            "--ivector-silence-weighting.silence-weight=0.001",
            "--ivector-silence-weighting.max-state-duration=40",
        ],
    ],
)
def test_lattices_of_kaldis_program(options: list[str], speech: Path) -> None:
    assert_as_kaldi(speech, [f"--ivector-extraction-config={speech}/ivectors.conf", *options])


def at_rate(folder: Path, rate: float) -> str:
    """The recordings at another rate, and the options that allow to resample them."""
    with (
        SequentialReader(f"scp:head -n 3 {WAVES.removeprefix('scp:')} |", WAVE) as waves,
        TableWriter(f"ark:{folder}/{rate:g}.ark", WAVE) as writer,
    ):
        for key, wave in waves:
            writer.write(key, Wave(rate, resampled(wave.data[0], wave.sample_frequency, rate)[np.newaxis]))
    with (folder / "mfcc.conf").open("a") as config:
        config.write("--allow-downsample=true\n--allow-upsample=true\n")
    return f"ark:{folder}/{rate:g}.ark"


@pytest.mark.skipif("KALDI_ROOT" not in os.environ, reason="needs KALDI_ROOT, Kaldi's programs")
@pytest.mark.parametrize("rate", [6000, 11025, 44100])
def test_lattices_of_kaldis_program_at_another_rate(rate: float, speech: Path) -> None:
    waves = at_rate(speech, rate)
    assert_as_kaldi(speech, [f"--ivector-extraction-config={speech}/ivectors.conf", "--chunk-length=0.1"], waves)


def test_pieces_of_recordings_at_another_rate(speech: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Of any length: the same lattices. Without the option the program ends, as Kaldi's does."""
    config = (speech / "mfcc.conf").read_text()
    waves = at_rate(speech, 11025)
    expected = online(speech, "tdnnf_cmvn", "--chunk-length=-1", waves=waves)
    assert len(expected) == 3
    assert_same(online(speech, "tdnnf_cmvn", "--chunk-length=0.037", waves=waves), expected)
    (speech / "mfcc.conf").write_text(config)
    arguments = [f"--mfcc-config={speech}/mfcc.conf", *SEARCH, "tdnnf_cmvn/final.mdl", "graph/HCLG.fst"]
    tables = [f"ark:{speech}/spk2utt", waves, f"ark:{speech}/none.ark"]
    assert run(online2_wav_latgen_faster.main, [*arguments, *tables]) == 255
    assert "Sampling frequency mismatch, expected 8000, got 11025" in capfd.readouterr().err
    assert not (speech / "none.ark").exists()


def assert_as_kaldi(speech: Path, options: list[str], waves: str = WAVES) -> None:
    options = ["--frames-per-chunk=20", *options]
    found = online(speech, "tdnnf", *options, waves=waves)
    program = Path(os.environ["KALDI_ROOT"]) / "src/online2bin/online2-wav-nnet3-latgen-faster"
    tables = [f"ark:{speech}/spk2utt", waves, f"ark:{speech}/kaldi.ark"]
    command = [
        program,
        f"--config={speech}/online.conf",
        *SEARCH,
        *options,
        "tdnnf/final.mdl",
        "graph/HCLG.fst",
        *tables,
    ]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    kaldis = read(speech / "kaldi.ark")
    assert found.keys() == kaldis.keys()
    for key, lattice in kaldis.items():  # whose states have other numbers
        mine, theirs = sorted_arcs(found[key]), sorted_arcs(lattice)
        assert [arc[:2] for arc in mine] == [arc[:2] for arc in theirs]
        np.testing.assert_allclose([arc[2:] for arc in mine], [arc[2:] for arc in theirs], atol=1e-2)


def test_endpoints(speech: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With rules that fire early an utterance ends early, and the time that was listened to is shorter."""
    extraction = f"--ivector-extraction-config={speech}/ivectors.conf"
    silence = "--ivector-silence-weighting.silence-phones=1:2:3:4:5:6:7:8:9:10"
    weights = [silence, "--ivector-silence-weighting.silence-weight=0.1"]
    whole = online(speech, "tdnnf", extraction, *weights)
    capfd.readouterr()
    early = ["--do-endpointing=true", "--endpoint.rule5.min-utterance-length=0.6", "--verbose=2"]
    short = online(speech, "tdnnf", extraction, *weights, *early)
    errors = capfd.readouterr().err
    assert "Endpointing rule rule5 activated" in errors
    assert all(short[key].num_states < whole[key].num_states for key in whole)
    tables = ["tdnnf/final.mdl", "graph/HCLG.fst", "ark:-", "scp:data/test/wav.scp", "ark:/dev/null"]
    assert run(online2_wav_latgen_faster.main, ["--do-endpointing=true", *tables]) == 255
    assert "requires nonempty --endpoint.silence-phones" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--feature-type=other", "Supported feature types: mfcc, plp, fbank"),
        ("--fbank-config=x", "--fbank-config has no effect"),
        ("--determinize-lattice=false", "not supported"),
        ("--extra-left-context-initial=-1", "must not be negative"),
        ("--cmvn-config=/dev/null", "--global-cmvn-stats option is required"),
    ],
)
def test_what_is_refused(option: str, message: str, speech: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tables = [f"ark:{speech}/spk2utt", "scp:data/test/wav.scp", f"ark:{speech}/online.ark"]
    assert run(online2_wav_latgen_faster.main, [option, *SEARCH, "tdnnf/final.mdl", "graph/HCLG.fst", *tables]) == 255
    assert message in capfd.readouterr().err
    assert not (speech / "online.ark").exists()


def test_copied_recordings(speech: Path, fsdd: Path) -> None:
    source = f"scp:head -n 2 {fsdd}/data/test/wav.scp |"
    assert run(wav_copy.main, [source, f"ark:{speech}/copied.ark"]) == 0
    copied = dict(SequentialReader(f"ark:{speech}/copied.ark", WAVE))
    for key, wave in SequentialReader(source, WAVE):
        assert np.array_equal(copied[key].data, wave.data)
