"""Every option of Kaldi's programs is there, with Kaldi's default."""

import re

import pytest

from kaldi_bridge.command import run
from tests.helpers.twins import twin

OPTIMIZATION = (
    "optimization.allocate-from-other=true optimization.allow-left-merge=true optimization.allow-right-merge=true "
    "optimization.backprop-in-place=true optimization.consolidate-model-update=true optimization.convert-addition=true "
    "optimization.extend-matrices=true optimization.initialize-undefined=true optimization.max-deriv-time=2147483647 "
    "optimization.max-deriv-time-relative=2147483647 optimization.memory-compression-level=1 "
    "optimization.min-deriv-time=-2147483648 optimization.move-sizing-commands=true optimization.optimize=true "
    "optimization.optimize-row-ops=true optimization.propagate-in-place=true optimization.remove-assignments=true "
    "optimization.snip-row-ops=true optimization.split-row-ops=true"
)
# Kaldi's name of the program: name=default of each option (f40076610, built without CUDA).
OPTIONS = {
    "lattice-to-kws-index": (
        "allow-partial=true frame-subsampling-factor=1 max-silence-frames=50 max-states-scale=4 strict=true"
    ),
    "kws-index-union": "max-states=-1 skip-optimization=false strict=true",
    "kws-search": (
        "frame-subsampling-factor=1 keyword-beam=-1 keyword-nbest=-1 nbest=-1 negative-tolerance=-0.1 strict=true"
    ),
    "build-pfile-from-ali": "every-nth-frame=1",
    "nnet3-chain-add-post-to-egs": (
        "apply-deriv-weights=true apply-exp=true backstitch-training-interval=1 backstitch-training-scale=0 "
        "batchnorm-stats-scale=0.8 batchnorm-test-mode=false binary-write-cache=true clip-threshold=0 "
        "compiler.cache-capacity=64 compiler.use-shortcut=true computation.debug=false cuda-cache-memory=true "
        "cuda-memory-proportion=0.5 dropout-test-mode=false l2-regularize=0 l2-regularize-factor=1 "
        "leaky-hmm-coefficient=1e-05 lwf-den-scale=0 lwf-scale=0 max-param-change=2 momentum=0 "
        "numerator-graph-threads=2 out-of-range-regularize=0.01 read-cache= store-component-stats=true type=raw "
        "use-gpu=yes write-cache= xent-regularize=0 zero-component-stats=true "
        f"{OPTIMIZATION}"
    ),
    "online2-wav-nnet3-wake-word-decoder-faster": (
        "acoustic-scale=0.1 add-pitch=false beam=16 beam-delta=0.5 chunk-length=1 cmvn-config= "
        "computation.debug=false debug-computation=false endpoint.rule1.max-relative-cost=inf "
        "endpoint.rule1.min-trailing-silence=5 endpoint.rule1.min-utterance-length=0 "
        "endpoint.rule1.must-contain-nonsilence=false endpoint.rule2.max-relative-cost=2 "
        "endpoint.rule2.min-trailing-silence=0.5 endpoint.rule2.min-utterance-length=0 "
        "endpoint.rule2.must-contain-nonsilence=true endpoint.rule3.max-relative-cost=8 "
        "endpoint.rule3.min-trailing-silence=1 endpoint.rule3.min-utterance-length=0 "
        "endpoint.rule3.must-contain-nonsilence=true endpoint.rule4.max-relative-cost=inf "
        "endpoint.rule4.min-trailing-silence=2 endpoint.rule4.min-utterance-length=0 "
        "endpoint.rule4.must-contain-nonsilence=true endpoint.rule5.max-relative-cost=inf "
        "endpoint.rule5.min-trailing-silence=0 endpoint.rule5.min-utterance-length=20 "
        "endpoint.rule5.must-contain-nonsilence=false endpoint.silence-phones= extra-left-context-initial=0 "
        "fbank-config= feature-type=mfcc frame-subsampling-factor=1 frames-per-chunk=24 global-cmvn-stats= "
        "hash-ratio=2 ivector-extraction-config= ivector-silence-weighting.max-state-duration=-1 "
        "ivector-silence-weighting.silence-phones= ivector-silence-weighting.silence-weight=1 max-active=2147483647 "
        "mfcc-config= min-active=20 num-threads-startup=8 online=true online-pitch-config= plp-config= wake-word-id=2 "
        f"{OPTIMIZATION}"
    ),
    "generate-proxy-keywords": "max-states=100000 phone-beam=5 phone-nbest=50 proxy-beam=5 proxy-nbest=100",
    "process-pitch-feats": "average-window-size=5 normalization-window-size=151",
    "compute-atwv": (
        "cost-fa=0.1 frames-per-sec=100 max_distance=50 prior-kw-probability=0.0001 score-threshold=0.5 "
        "sweep-step=0.05 value-corr=1"
    ),
    "online2-wav-gmm-latgen-faster": (
        "acoustic-scale=0.1 adaptation-delay=5 adaptation-first-utt-delay=2 adaptation-first-utt-ratio=1.5 "
        "adaptation-ratio=2 add-deltas=false add-pitch=false basis.fmllr-min-count=50 basis.num-iters=10 "
        "basis.size-scale=0.2 basis.step-size-iters=3 beam-delta=0.5 beam=16 chunk-length=0.05 cmvn-config= "
        "delta-config= delta=0.000976562 determinize-lattice=true do-endpointing=false "
        "endpoint.rule1.max-relative-cost=inf endpoint.rule1.min-trailing-silence=5 "
        "endpoint.rule1.min-utterance-length=0 endpoint.rule1.must-contain-nonsilence=false "
        "endpoint.rule2.max-relative-cost=2 endpoint.rule2.min-trailing-silence=0.5 "
        "endpoint.rule2.min-utterance-length=0 endpoint.rule2.must-contain-nonsilence=true "
        "endpoint.rule3.max-relative-cost=8 endpoint.rule3.min-trailing-silence=1 "
        "endpoint.rule3.min-utterance-length=0 endpoint.rule3.must-contain-nonsilence=true "
        "endpoint.rule4.max-relative-cost=inf endpoint.rule4.min-trailing-silence=2 "
        "endpoint.rule4.min-utterance-length=0 endpoint.rule4.must-contain-nonsilence=true "
        "endpoint.rule5.max-relative-cost=inf endpoint.rule5.min-trailing-silence=0 "
        "endpoint.rule5.min-utterance-length=20 endpoint.rule5.must-contain-nonsilence=false "
        "endpoint.silence-phones= fbank-config= feature-type=mfcc fmllr-basis= fmllr-lattice-beam=3 "
        "global-cmvn-stats= hash-ratio=2 lattice-beam=10 lda-matrix= max-active=2147483647 max-mem=50000000 "
        "memory-pool-links-block-size=256 memory-pool-tokens-block-size=256 mfcc-config= min-active=200 "
        "minimize=false model= online-alignment-model= phone-determinize=true pitch-config= pitch-process-config= "
        "plp-config= prune-interval=25 rescore-model= silence-phones= silence-weight=0.1 splice-config= "
        "splice-feats=false word-determinize=true word-symbol-table="
    ),
    "init-ubm": (
        "binary=true cluster-varfloor=0.01 fullcov-ubm=true intermediate-num-gauss=4000 intermediate-numcomps=4000 "
        "max-am-gauss=20000 reduce-state-factor=0.2 ubm-num-gauss=400 ubm-numcomps=400"
    ),
    "gmm-est-fmllr-raw": "fmllr-min-count=100 fmllr-num-iters=20 raw-feat-dim=13 spk2utt=",
    "gmm-est-fmllr-raw-gpost": "fmllr-min-count=100 fmllr-num-iters=20 raw-feat-dim=13 spk2utt=",
    "gmm-global-est-lvtln-trans": "logdet-scale=1 norm-type=offset spk2utt=",
    "gmm-global-acc-stats-twofeats": "binary=true gselect= update-flags=mvw weights=",
    "fgmm-global-merge": "binary=true",
    "fmpe-init": (
        "binary=true context-expansion=0,1.0:-1,1.0:1,1.0:-2,0.5;-3,0.5:2,0.5;3,0.5:-4,0.5;-5,0.5:4,0.5;5,0.5:"
        "-6,0.333;-7,0.333;-8,0.333:6,0.333;7,0.333;8,0.333 post-scale=5"
    ),
    "fmpe-apply-transform": "add-to-features=true",
    "fmpe-sum-accs": "binary=true",
    "fmpe-est": "binary=true l2-weight=100 learning-rate=0.1",
    "gmm-fmpe-acc-stats": "binary=true model-derivative=",
    "gmm-get-stats-deriv": "binary=true min-gaussian-occupancy=10 min-variance=0.001",
    "gmm-est-rescale": "binary=true min-gaussian-occupancy=10 min-variance=0.001",
    "logprob-to-post": "min-post=0.01 random-prune=true",
    "paste-post": "allow-partial=false",
    "post-to-smat": "dim=-1",
    "add-deltas-sdc": "block-shift=3 delta-window=1 num-blocks=7 truncate=0",
    "paste-vectors": "",
    "multiply-vectors": "binary=true length-tolerance=0",
    "matrix-max": "binary=false",
    "extend-transform-dim": "binary=true new-dimension=-1",
    "prons-to-wordali": "per-frame=false",
    "nnet3-get-egs-simple": "",
    "lattice-path-cover": "acoustic-scale=1 lm-scale=1 word-symbol-table=",
    "lattice-expand": "acoustic-scale=1 epsilon=0.1 inv-acoustic-scale=1",
    "ali-to-pdf": "",
    "ali-to-phones": "ctm-output=false frame-shift=0.01 per-frame=false write-lengths=false",
    "ali-to-post": "",
    "analyze-counts": "binary=false counts-dim=0 frame-weights= symbol-table= utt-weights=",
    "build-tree-two-level": (
        "binary=true central-position=1 cluster-leaves=true context-width=3 max-leaves-first=1000 "
        "max-leaves-second=5000"
    ),
    "chain-est-phone-lm": "binary=true ngram-order=4 no-prune-ngram-order=3 num-extra-lm-states=1000",
    "chain-get-supervision": (
        "convert-to-pdfs=true frame-subsampling-factor=1 lattice-input=false left-tolerance=5 lm-scale=0 "
        "right-tolerance=5 weight=1"
    ),
    "chain-make-den-fst": "",
    "chain-make-num-fst-e2e": "",
    "compare-int-vector": "binary=true write-confusion-matrix= write-diff-counts= write-tot-counts=",
    "copy-gselect": "n=0",
    "copy-int-vector": "binary=true",
    "copy-matrix": "apply-exp=false apply-log=false apply-power=1 apply-softmax-per-row=false binary=true scale=1",
    "decode-faster": (
        "acoustic-scale=0.1 allow-partial=true beam=16 beam-delta=0.5 binary=true hash-ratio=2 "
        "max-active=2147483647 min-active=20 word-symbol-table="
    ),
    "feat-to-post": "",
    "get-full-lda-mat": "binary=true",
    "gmm-est-gaussians-ebw": "E=2 binary=false tau=0 update-flags=mv",
    "gmm-est-weights-ebw": (
        "binary=false min-gaussian-weight=1e-05 min-num-count-weight-update=10 update-flags=w weight-tau=0"
    ),
    "gmm-latgen-biglm-faster": (
        "acoustic-scale=0.1 allow-partial=false beam=16 beam-delta=0.5 delta=0.000976562 "
        "determinize-lattice=true hash-ratio=2 lattice-beam=10 max-active=2147483647 max-mem=50000000 "
        "memory-pool-links-block-size=256 memory-pool-tokens-block-size=256 min-active=200 minimize=false "
        "phone-determinize=true prune-interval=25 word-determinize=true word-symbol-table="
    ),
    "lattice-lmrescore-kaldi-rnnlm": (
        "bos-symbol=-1 brk-symbol=-1 computation.debug=false debug-computation=false eos-symbol=-1 lm-scale=1 "
        "max-ngram-order=3 normalize-probs=false " + OPTIMIZATION
    ),
    "lattice-lmrescore-kaldi-rnnlm-pruned": (
        "acoustic-scale=0.1 bos-symbol=-1 brk-symbol=-1 computation.debug=false debug-computation=false eos-symbol=-1 "
        "growth-ratio=1.5 lattice-compose-beam=6 lm-scale=0.5 max-arcs=100000 max-ngram-order=3 normalize-probs=false "
        "use-const-arpa=false " + OPTIMIZATION
    ),
    "lattice-to-mpe-post": "acoustic-scale=1 lm-scale=1 one-silence-class=false silence-phones=",
    "lattice-to-smbr-post": "acoustic-scale=1 lm-scale=1 one-silence-class=false silence-phones=",
    "matrix-sum": "average=false binary=true scale1=1 scale2=1",
    "matrix-sum-rows": "",
    "nnet3-acc-lda-stats": "binary=true rand-prune=0",
    "nnet3-align-compiled": (
        "acoustic-scale=0.1 beam=200 careful=false computation.debug=false debug-computation=false "
        "extra-left-context=0 extra-left-context-initial=-1 extra-right-context=0 extra-right-context-final=-1 "
        "frame-subsampling-factor=1 frames-per-chunk=50 ivectors= online-ivector-period=0 online-ivectors= "
        "retry-beam=0 self-loop-scale=1 transition-scale=1 use-gpu=yes write-per-frame-acoustic-loglikes= "
        + OPTIMIZATION
    ),
    "nnet3-chain-acc-lda-stats": "binary=true rand-prune=0",
    "nnet3-chain-combine": (
        "batchnorm-test-mode=false binary=true dropout-test-mode=true l2-regularize=0 leaky-hmm-coefficient=1e-05 "
        "lwf-den-scale=0 lwf-scale=0 max-objective-evaluations=30 numerator-graph-threads=2 "
        "out-of-range-regularize=0.01 use-gpu=yes xent-regularize=0"
    ),
    "nnet3-chain-combine2": (
        "batchnorm-test-mode=false binary=true dropout-test-mode=true l2-regularize=0 leaky-hmm-coefficient=1e-05 "
        "lwf-den-scale=0 lwf-scale=0 max-objective-evaluations=30 numerator-graph-threads=2 "
        "out-of-range-regularize=0.01 use-gpu=yes xent-regularize=0"
    ),
    "nnet3-chain-compute-post": (
        "acoustic-scale=1 computation.debug=false debug-computation=false extra-left-context=0 "
        "extra-left-context-initial=-1 extra-right-context=0 extra-right-context-final=-1 frame-subsampling-factor=1 "
        "frames-per-chunk=50 ivectors= leaky-hmm-coefficient=0.1 online-ivector-period=0 online-ivectors= "
        "transform-mat= use-gpu=yes utt2spk= "
        f"{OPTIMIZATION}"
    ),
    "nnet3-chain-compute-prob": (
        "batchnorm-test-mode=true compiler.cache-capacity=64 compiler.use-shortcut=true computation.debug=false "
        "compute-accuracy=true compute-per-dim-accuracy=false debug-computation=false dropout-test-mode=true "
        "l2-regularize=0 leaky-hmm-coefficient=1e-05 lwf-den-scale=0 lwf-scale=0 numerator-graph-threads=2 "
        "out-of-range-regularize=0.01 xent-regularize=0 "
        f"{OPTIMIZATION}"
    ),
    "nnet3-chain-copy-egs": (
        "frame-shift=0 keep-proportion=1 left-context=-1 outputs= random=false right-context=-1 srand=0 weights="
    ),
    "nnet3-chain-e2e-get-egs": (
        "compress=true frame-subsampling-factor=1 ivectors= left-context=0 left-context-initial=-1 "
        "length-tolerance=100 num-frames=1 num-frames-overlap=0 online-ivector-period=1 online-ivectors= "
        "right-context=0 right-context-final=-1 srand=0"
    ),
    "nnet3-chain-get-egs": (
        "compress=true deriv-weights-rspecifier= frame-subsampling-factor=1 ivectors= left-context=0 "
        "left-context-initial=-1 length-tolerance=100 long-key=false normalization-fst-scale=1 num-frames=1 "
        "num-frames-overlap=0 online-ivector-period=1 online-ivectors= right-context=0 right-context-final=-1 srand=0 "
        "supervision-length-tolerance=1 transition-model="
    ),
    "nnet3-chain-merge-egs": (
        "compress=false discard-partial-minibatches=deprecated measure-output-frames=deprecated minibatch-size=64 "
        "multilingual-eg=false"
    ),
    "nnet3-chain-normalize-egs": "normalization-fst-scale=1",
    "nnet3-chain-shuffle-egs": "buffer-size=0 srand=0",
    "nnet3-chain-subset-egs": "n=1000 randomize-order=true srand=0",
    "nnet3-chain-train": (
        "apply-deriv-weights=true backstitch-training-interval=1 backstitch-training-scale=0 batchnorm-stats-scale=0.8 "
        "binary=true binary-write-cache=true compiler.cache-capacity=64 compiler.use-shortcut=true "
        "computation.debug=false cuda-cache-memory=true cuda-memory-proportion=0.5 l2-regularize=0 "
        "l2-regularize-factor=1 leaky-hmm-coefficient=1e-05 lwf-den-scale=0 lwf-scale=0 max-param-change=2 momentum=0 "
        "numerator-graph-threads=2 out-of-range-regularize=0.01 print-interval=100 read-cache= srand=0 "
        "store-component-stats=true use-gpu=yes write-cache= xent-regularize=0 zero-component-stats=true "
        f"{OPTIMIZATION}"
    ),
    "nnet3-chain-train2": (
        "apply-deriv-weights=true backstitch-training-interval=1 backstitch-training-scale=0 batchnorm-stats-scale=0.8 "
        "binary=true binary-write-cache=true compiler.cache-capacity=64 compiler.use-shortcut=true "
        "computation.debug=false cuda-cache-memory=true cuda-memory-proportion=0.5 l2-regularize=0 "
        "l2-regularize-factor=1 leaky-hmm-coefficient=1e-05 lwf-den-scale=0 lwf-scale=0 max-param-change=2 momentum=0 "
        "numerator-graph-threads=2 out-of-range-regularize=0.01 print-interval=100 read-cache= srand=0 "
        "store-component-stats=true use-gpu=yes write-cache= xent-regularize=0 zero-component-stats=true "
        f"{OPTIMIZATION}"
    ),
    "nnet3-combine": (
        "batchnorm-test-mode=false binary=true dropout-test-mode=true max-objective-evaluations=30 use-gpu=yes"
    ),
    "nnet3-compute-from-egs": "apply-exp=false binary=true output-name=output use-gpu=yes",
    "nnet3-compute-prob": (
        "batchnorm-test-mode=true collapse-model=true compiler.cache-capacity=64 compiler.use-shortcut=true "
        "computation.debug=false compute-accuracy=true compute-per-dim-accuracy=false debug-computation=false "
        "dropout-test-mode=true "
        f"{OPTIMIZATION}"
    ),
    "nnet3-copy-egs": (
        "frame= frame-shift=0 keep-proportion=1 left-context=-1 outputs= random=false right-context=-1 srand=0 weights="
    ),
    "nnet3-egs-augment-image": (
        "fill-mode=nearest horizontal-flip-prob=0 horizontal-shift=0 num-channels=1 rotation-degree=0 rotation-prob=0 "
        "srand=0 vertical-shift=0"
    ),
    "nnet3-get-egs": (
        "compress=true frame-subsampling-factor=1 ivectors= left-context=0 left-context-initial=-1 "
        "length-tolerance=100 "
        "num-frames=1 num-frames-overlap=0 num-pdfs=-1 online-ivector-period=1 online-ivectors= right-context=0 "
        "right-context-final=-1 targets-length-tolerance=2"
    ),
    "nnet3-get-egs-dense-targets": (
        "compress=true frame-subsampling-factor=1 ivectors= left-context=0 left-context-initial=-1 "
        "length-tolerance=100 "
        "num-frames=1 num-frames-overlap=0 num-targets=-1 online-ivector-period=1 online-ivectors= right-context=0 "
        "right-context-final=-1 targets-length-tolerance=2"
    ),
    "nnet3-latgen-faster-looped": (
        "acoustic-scale=0.1 allow-partial=false beam=16 beam-delta=0.5 computation.debug=false "
        "debug-computation=false delta=0.000976562 determinize-lattice=true extra-left-context-initial=0 "
        "frame-subsampling-factor=1 frames-per-chunk=24 hash-ratio=2 ivectors= lattice-beam=10 max-active=2147483647 "
        "max-mem=50000000 memory-pool-links-block-size=256 memory-pool-tokens-block-size=256 min-active=200 "
        "minimize=false online-ivector-period=0 online-ivectors= phone-determinize=true prune-interval=25 "
        f"word-determinize=true word-symbol-table= {OPTIMIZATION}"
    ),
    "nnet3-latgen-grammar": (
        "acoustic-scale=0.1 allow-partial=false beam=16 beam-delta=0.5 computation.debug=false "
        "debug-computation=false delta=0.000976562 determinize-lattice=true extra-left-context=0 "
        "extra-left-context-initial=-1 extra-right-context=0 extra-right-context-final=-1 frame-subsampling-factor=1 "
        "frames-per-chunk=50 hash-ratio=2 ivectors= lattice-beam=10 max-active=2147483647 max-mem=50000000 "
        "memory-pool-links-block-size=256 memory-pool-tokens-block-size=256 min-active=200 minimize=false "
        "online-ivector-period=0 online-ivectors= phone-determinize=true prune-interval=25 utt2spk= "
        f"word-determinize=true word-symbol-table= {OPTIMIZATION}"
    ),
    "nnet3-merge-egs": (
        "compress=false discard-partial-minibatches=deprecated measure-output-frames=deprecated minibatch-size=256 "
        "multilingual-eg=false"
    ),
    "nnet3-shuffle-egs": "buffer-size=0 srand=0",
    "nnet3-subset-egs": "n=1000 randomize-order=true srand=0",
    "nnet3-train": (
        "backstitch-training-interval=1 backstitch-training-scale=0 batchnorm-stats-scale=0.8 binary=true "
        "binary-write-cache=true compiler.cache-capacity=64 compiler.use-shortcut=true computation.debug=false "
        "cuda-cache-memory=true cuda-memory-proportion=0.5 l2-regularize-factor=1 max-param-change=2 momentum=0 "
        "print-interval=100 read-cache= srand=0 store-component-stats=true use-gpu=yes write-cache= "
        "zero-component-stats=true "
        f"{OPTIMIZATION}"
    ),
    "nnet3-xvector-compute": (
        "acoustic-scale=1 cache-capacity=64 cached-compiler-in= cached-compiler-out= chunk-size=-1 "
        "computation.debug=false debug-computation=false extra-left-context=0 extra-left-context-initial=-1 "
        "extra-right-context=0 extra-right-context-final=-1 frame-subsampling-factor=1 frames-per-chunk=50 "
        "min-chunk-size=100 pad-input=true use-gpu=no use-shortcut=true " + OPTIMIZATION
    ),
    "ivector-extract-online2": (
        "cmvn-config= diag-ubm= frame-weights-rspecifier= global-cmvn-stats= greedy-ivector-extractor=false "
        "ivector-extractor= ivector-period=10 lda-matrix= length-tolerance=0 max-count=0 "
        "max-remembered-frames=1000 min-post=0.025 num-gselect=5 num-threads=8 online-cmvn-iextractor=false "
        "posterior-scale=0.1 repeat=false splice-config= use-most-recent-ivector=true"
    ),
    "online2-wav-nnet3-latgen-faster": (
        "acoustic-scale=0.1 add-pitch=false beam=16 beam-delta=0.5 chunk-length=0.18 cmvn-config= "
        "computation.debug=false debug-computation=false delta=0.000976562 determinize-lattice=true "
        "do-endpointing=false endpoint.rule1.max-relative-cost=inf endpoint.rule1.min-trailing-silence=5 "
        "endpoint.rule1.min-utterance-length=0 endpoint.rule1.must-contain-nonsilence=false "
        "endpoint.rule2.max-relative-cost=2 endpoint.rule2.min-trailing-silence=0.5 "
        "endpoint.rule2.min-utterance-length=0 endpoint.rule2.must-contain-nonsilence=true "
        "endpoint.rule3.max-relative-cost=8 endpoint.rule3.min-trailing-silence=1 "
        "endpoint.rule3.min-utterance-length=0 endpoint.rule3.must-contain-nonsilence=true "
        "endpoint.rule4.max-relative-cost=inf endpoint.rule4.min-trailing-silence=2 "
        "endpoint.rule4.min-utterance-length=0 endpoint.rule4.must-contain-nonsilence=true "
        "endpoint.rule5.max-relative-cost=inf endpoint.rule5.min-trailing-silence=0 "
        "endpoint.rule5.min-utterance-length=20 endpoint.rule5.must-contain-nonsilence=false "
        "endpoint.silence-phones= extra-left-context-initial=0 fbank-config= feature-type=mfcc "
        "frame-subsampling-factor=1 frames-per-chunk=24 global-cmvn-stats= hash-ratio=2 ivector-extraction-config= "
        "ivector-silence-weighting.max-state-duration=-1 ivector-silence-weighting.silence-phones= "
        "ivector-silence-weighting.silence-weight=1 lattice-beam=10 max-active=2147483647 max-mem=50000000 "
        "memory-pool-links-block-size=256 memory-pool-tokens-block-size=256 mfcc-config= min-active=200 "
        "minimize=false num-threads-startup=8 online=true phone-determinize=true prune-interval=25 "
        "word-determinize=true word-symbol-table= "
        f"{OPTIMIZATION}"
    ),
    "ivector-randomize": "randomize-prob=0.5 srand=0",
    "post-to-feats": "binary=true post-dim=0",
    "post-to-pdf-post": "",
    "post-to-phone-post": "transition-id-counts=",
    "show-transitions": "",
    "sum-matrices": "binary=true",
    "wav-copy": "",
    "post-to-tacc": "binary=true per-pdf=false",
    "rnnlm-compute-prob": "batchnorm-test-mode=true dropout-test-mode=true use-gpu=no",
    "rnnlm-get-egs": (
        "bos-symbol=1 brk-symbol=3 chunk-buffer-size=20000 chunk-length=32 eos-symbol=2 min-split-context=3 "
        "num-chunks-per-minibatch=128 num-samples=512 num-threads=1 num-threads-total=0 sample-group-size=2 "
        "special-symbol-prob=1e-05 srand=0 uniform-prob-mass=0.05 vocab-size=-1"
    ),
    "rnnlm-get-sampling-lm": (
        "backoff-factor=2 binary=true bos-factor=5 bos-symbol=1 brk-symbol=-1 discounting-constant=1 eos-symbol=2 "
        "ngram-order=3 unigram-factor=100 unigram-power=0.8 vocab-size=-1"
    ),
    "rnnlm-get-word-embedding": "binary=true",
    "rnnlm-sentence-probs": (
        "batchnorm-test-mode=true bos-symbol=-1 brk-symbol=-1 computation.debug=false debug-computation=false "
        "dropout-test-mode=true eos-symbol=-1 normalize-probs=false use-gpu=no " + OPTIMIZATION
    ),
    "rnnlm-train": (
        "binary=true cuda-cache-memory=true cuda-memory-proportion=0.5 den-term-limit=-10 "
        "embedding.backstitch-training-interval=1 embedding.backstitch-training-scale=0 embedding.l2-regularize=0 "
        "embedding.learning-rate=0.01 embedding.max-param-change=1 embedding.momentum=0 "
        "embedding.natural-gradient-alpha=4 embedding.natural-gradient-num-minibatches-history=10 "
        "embedding.natural-gradient-rank=80 embedding.natural-gradient-update-period=4 "
        "embedding.use-natural-gradient=true max-logprob-elements=1000000000 read-embedding= read-rnnlm= "
        "read-sparse-word-features= rnnlm.backstitch-training-interval=1 rnnlm.backstitch-training-scale=0 "
        "rnnlm.l2-regularize-factor=1 rnnlm.max-param-change=2 rnnlm.momentum=0 use-gpu=yes write-embedding= "
        "write-rnnlm="
    ),
    "sum-lda-accs": "binary=true",
    "vector-sum": "average=false binary=true",
}
OPTIONS["online2-wav-nnet3-latgen-grammar"] = OPTIONS["online2-wav-nnet3-latgen-faster"]
PROGRAMS = sorted(OPTIONS)


def same(ours: str, kaldis: str) -> bool:
    try:
        return float(ours) == pytest.approx(float(kaldis), rel=1e-6)
    except ValueError:
        return ours == kaldis


@pytest.mark.parametrize("name", PROGRAMS)
def test_options(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """In the text of --help, with the same defaults."""
    assert run(twin(name), ["--help"]) == 0
    lines = re.findall(r"^  --(\S+) +: .*\(\w+, default = (.*)\)$", capfd.readouterr().err, re.M)
    ours = {option.lower(): default.strip('"') for option, default in lines}
    assert {"config", "help", "print-args", "verbose"} <= set(ours)
    for option, default in (word.split("=") for word in OPTIONS[name].split()):
        assert option.lower() in ours
        assert same(ours[option.lower()], default), option


@pytest.mark.parametrize("name", PROGRAMS)
def test_usage(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """No arguments: the usage and status 1, as Kaldi's programs; an unknown option is an error."""
    assert run(twin(name), []) == 1
    assert "Usage: nnet-pytorch-" in capfd.readouterr().err
    assert run(twin(name), ["--no-such-option=1"]) == 255
    assert "no-such-option" in capfd.readouterr().err
