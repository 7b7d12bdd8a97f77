# A command for each program (bench/programs.py)
compute-mfcc-feats --config=$R/conf/mfcc.conf scp:wav.scp ark:/dev/null
compute-fbank-feats --num-mel-bins=40 scp:wav.scp ark:/dev/null
compute-plp-feats scp:wav.scp ark:/dev/null
compute-spectrogram-feats scp:wav.scp ark:/dev/null
compute-kaldi-pitch-feats scp:wav.scp ark:/dev/null
process-kaldi-pitch-feats ark:pitch.ark ark:/dev/null
extract-segments scp:wav.scp segments ark:/dev/null
wav-copy scp:wav.scp ark:/dev/null
wav-to-duration scp:wav.scp ark,t:/dev/null
copy-feats ark:feats.ark ark:/dev/null
copy-feats --compress=true ark:lda.ark ark:/dev/null
copy-feats ark:compressed.ark ark,t:/dev/null
copy-feats-to-htk --output-dir=htk --output-ext=fea ark:feats.ark
compute-cmvn-stats --spk2utt=ark:spk2utt scp:feats.scp ark:/dev/null
modify-cmvn-stats 0:1 ark:cmvn.ark ark:/dev/null
apply-cmvn --utt2spk=ark:utt2spk ark:cmvn.ark ark:feats.ark ark:/dev/null
apply-cmvn-online --config=$R/conf/online_cmvn.conf --spk2utt=ark:spk2utt $X/global_cmvn.stats ark:hires.ark ark:/dev/null
apply-cmvn-sliding --center=true ark:feats.ark ark:/dev/null
add-deltas ark:normalized.ark ark:/dev/null
splice-feats --left-context=3 --right-context=3 ark:normalized.ark ark:/dev/null
transform-feats --utt2spk=ark:utt2spk ark:fmllr ark:lda.ark ark:/dev/null
subsample-feats --n=2 ark:ubm.ark ark:/dev/null
select-feats 0-9 ark:lda.ark ark:/dev/null
paste-feats --length-tolerance=2 ark:feats.ark ark:pitch.ark ark:/dev/null
shift-feats --shift=2 ark:lda.ark ark:/dev/null
append-vector-to-feats ark:ubm.ark ark:ivectors ark:/dev/null
subset-feats --n=100 ark:lda.ark ark:/dev/null
compare-feats ark:lda.ark ark:compressed.ark
feat-to-len scp:feats.scp ark,t:/dev/null
feat-to-dim ark:feats.ark ark,t:/dev/null
compute-vad --vad-energy-threshold=5 ark:feats.ark ark:/dev/null
select-voiced-frames ark:feats.ark ark:vad ark:/dev/null
post-to-feats --post-dim=1000 ark:ubm.post ark:/dev/null
copy-matrix ark:spliced.ark ark:/dev/null
matrix-sum-rows ark:lda.ark ark:/dev/null
compile-train-graphs --read-disambig-syms=$L/phones/disambig.int $M/tree $M/final.mdl $L/L.fst ark:text.int ark:/dev/null
align-equal-compiled ark:graphs ark:lda.ark ark:/dev/null
gmm-align-compiled $ALIGN $M/final.mdl ark:graphs ark:sat.ark ark:/dev/null
gmm-align $ALIGN $M/tree $M/final.mdl $L/L.fst ark:sat.ark ark:text.int ark:/dev/null
gmm-acc-stats-ali $M/final.mdl ark:sat.ark ark:ali /dev/null
gmm-acc-stats $M/final.mdl ark:sat.ark ark:post /dev/null
gmm-acc-stats-twofeats $M/final.mdl ark:sat.ark ark:lda.ark ark:post /dev/null
gmm-sum-accs sum.acc 1.acc 2.acc 3.acc 4.acc
gmm-est --mix-up=3000 --power=0.2 $M/final.mdl 1.acc made.mdl
gmm-boost-silence --boost=1.5 1 $M/final.mdl made.mdl
gmm-copy $M/final.mdl made.mdl
gmm-info $M/final.mdl
gmm-mixup --mix-up=3000 1.mdl 1.occs made.mdl
gmm-init-model tree 1.treeacc $L/topo made.mdl
gmm-transform-means mllt.mat $M/final.mdl made.mdl
gmm-est-fmllr --spk2utt=ark:spk2utt $M/final.mdl ark:lda.ark ark:spoken.post ark:/dev/null
gmm-post-to-gpost $M/final.alimdl ark:lda.ark ark:first.post ark:/dev/null
gmm-est-fmllr-gpost --spk2utt=ark:spk2utt $M/final.mdl ark:lda.ark ark:first.gpost ark:/dev/null
gmm-basis-fmllr-accs --spk2utt=ark:spk2utt $M/final.mdl ark:lda.ark ark:spoken.post /dev/null
gmm-compute-likes $M/final.mdl ark:sat.ark ark:/dev/null
compose-transforms ark:fmllr ark:fmllr ark:/dev/null
acc-tree-stats --ci-phones=$SIL $M/final.mdl ark:lda.ark ark:ali /dev/null
sum-tree-stats sum.treeacc 1.treeacc 2.treeacc
cluster-phones 1.treeacc $L/phones/sets.int /dev/null
compile-questions $L/topo questions.int /dev/null
build-tree --max-leaves=2000 --cluster-thresh=-1 1.treeacc $L/phones/roots.int questions.qst $L/topo /dev/null
convert-ali $M/final.mdl 1.mdl tree ark:ali ark:/dev/null
acc-lda --rand-prune=4.0 $M/final.mdl ark:spliced.ark ark:post /dev/null
est-lda --dim=40 /dev/null lda.acc
gmm-acc-mllt --rand-prune=4.0 $M/final.mdl ark:lda.ark ark:post /dev/null
est-mllt /dev/null mllt.acc
est-pca --dim=40 ark:spliced.ark /dev/null
ali-to-pdf $M/final.mdl ark:ali ark:/dev/null
ali-to-phones $M/final.mdl ark:ali ark:/dev/null
ali-to-phones --ctm-output=true $M/final.mdl ark:ali /dev/null
ali-to-post ark:ali ark:/dev/null
weight-silence-post 0.0 $SIL $M/final.mdl ark:post ark:/dev/null
scale-post ark:post 0.5 ark:/dev/null
sum-post ark:post ark:spoken.post ark:/dev/null
post-to-phone-post $M/final.mdl ark:post ark:/dev/null
post-to-pdf-post $M/final.mdl ark:post ark:/dev/null
post-to-weights ark:post ark:/dev/null
post-to-tacc $M/final.mdl ark:post /dev/null
copy-int-vector ark:ali ark,t:/dev/null
show-transitions $L/phones.txt $M/final.mdl $M/final.occs > /dev/null
analyze-counts ark:pdfs /dev/null
am-info $M/final.mdl
compute-gop $M/final.mdl ark:ali ark:phones.ali ark:likes ark:/dev/null ark:/dev/null
gmm-latgen-faster $DECODE $M/final.mdl $G ark:sat.ark ark:/dev/null
gmm-latgen-simple --beam=15 --lattice-beam=10 --acoustic-scale=0.1 $M/final.mdl $G ark:sat.ark ark:/dev/null
gmm-decode-faster --beam=13 --acoustic-scale=0.1 $M/final.mdl $G ark:sat.ark ark:/dev/null
gmm-decode-simple --beam=13 --acoustic-scale=0.1 $M/final.mdl $G ark:sat.ark ark:/dev/null
latgen-faster-mapped $DECODE $M/final.mdl $G ark:likes ark:/dev/null
gmm-rescore-lattice $M/final.mdl ark:lats ark:sat.ark ark:/dev/null
lattice-copy ark:lats ark,t:/dev/null
lattice-scale --acoustic-scale=0.1 ark:lats ark:/dev/null
lattice-add-penalty --word-ins-penalty=0.5 ark:lats ark:/dev/null
lattice-prune --acoustic-scale=0.1 --beam=4 ark:lats ark:/dev/null
lattice-best-path --acoustic-scale=0.1 ark:lats ark:/dev/null ark:/dev/null
lattice-1best --acoustic-scale=0.1 ark:lats ark:/dev/null
lattice-to-nbest --acoustic-scale=0.1 --n=20 ark:lats ark:/dev/null
nbest-to-linear ark:nbest ark:/dev/null ark:/dev/null ark:/dev/null ark:/dev/null
linear-to-nbest ark:n.ali ark:n.int ark:n.lm ark:n.ac ark:/dev/null
nbest-to-lattice ark:nbest ark:/dev/null
nbest-to-ctm ark:aligned.best /dev/null
nbest-to-prons $M/final.mdl ark:aligned.best /dev/null
lattice-determinize ark:lats ark:/dev/null
lattice-determinize-pruned --acoustic-scale=0.1 --beam=6 ark:raw.lats ark:/dev/null
lattice-determinize-non-compact ark:raw.lats ark:/dev/null
lattice-determinize-phone-pruned --acoustic-scale=0.1 --beam=6 $M/final.mdl ark:raw.lats ark:/dev/null
lattice-minimize ark:lats ark:/dev/null
lattice-push ark:lats ark:/dev/null
lattice-reverse ark:lats ark:/dev/null
lattice-project ark:lats ark:/dev/null
lattice-rmali ark:lats ark:/dev/null
lattice-union ark:lats ark:best ark:/dev/null
lattice-interp ark:lats ark:lats ark:/dev/null
lattice-combine ark:lats ark:lats ark:/dev/null
lattice-equivalent ark:lats ark:lats
lattice-limit-depth --max-arcs-per-frame=5 ark:lats ark:/dev/null
lattice-depth ark:lats ark:/dev/null
lattice-depth-per-frame ark:lats ark:/dev/null
lattice-to-fst ark:lats ark:/dev/null
lattice-oracle ark:lats ark:text.int ark:/dev/null
lattice-add-trans-probs --transition-scale=1 --self-loop-scale=0.1 $M/final.mdl ark:lats ark:/dev/null
lattice-align-words $L/phones/word_boundary.int $M/final.mdl ark:lats ark:/dev/null
lattice-align-words-lexicon $L/phones/align_lexicon.int $M/final.mdl ark:lats ark:/dev/null
lattice-align-phones --replace-output-symbols=true $M/final.mdl ark:lats ark:/dev/null
lattice-to-phone-lattice $M/final.mdl ark:lats ark:/dev/null
lattice-to-ctm-conf --acoustic-scale=0.1 ark:aligned.lats /dev/null
lattice-mbr-decode --acoustic-scale=0.1 ark:aligned.lats ark:/dev/null
lattice-to-post --acoustic-scale=0.1 ark:lats ark:/dev/null
lattice-to-kws-index ark:utt.map ark:kws.lats ark:/dev/null
kws-index-union ark:kws.idx ark:/dev/null
kws-search ark:kws.global ark:keywords.fsts ark:/dev/null
lattice-arc-post --acoustic-scale=0.1 $M/final.mdl ark:phone.lats /dev/null
lattice-to-mpe-post --acoustic-scale=0.1 $M/final.mdl ark:ali ark:lats ark:/dev/null
lattice-to-smbr-post --acoustic-scale=0.1 $M/final.mdl ark:ali ark:lats ark:/dev/null
lattice-boost-ali --b=0.05 --silence-phones=$SIL $M/final.mdl ark:lats ark:ali ark:/dev/null
lattice-lmrescore --lm-scale=-1 ark:lats small.words.fst ark:/dev/null
lattice-lmrescore-const-arpa --lm-scale=1 ark:lats $LARGE ark:/dev/null
lattice-lmrescore-pruned --acoustic-scale=0.1 --add-const-arpa=true $SMALL $LARGE ark:lats ark:/dev/null
lattice-compose ark:lats small.words.fst ark:/dev/null
compute-wer --mode=present ark:text.int ark:hyp.int
align-text ark:text.int ark:hyp.int ark,t:/dev/null
gmm-gselect --n=10 $X/final.dubm ark:ubm.ark ark:/dev/null
gmm-global-get-post --n=5 --min-post=0.025 $X/final.dubm ark:ubm.ark ark:/dev/null
gmm-global-acc-stats --gselect=ark:gselect $X/final.dubm ark:ubm.ark /dev/null
gmm-global-sum-accs sum.acc ubm.acc ubm2.acc
gmm-global-est $X/final.dubm ubm.acc made.ubm
gmm-global-get-frame-likes $X/final.dubm ark:ubm.ark ark:/dev/null
gmm-global-init-from-feats --num-iters=5 --num-gauss=64 ark:ubm.ark made.ubm
fgmm-gselect --n=5 --gselect=ark:gselect full.ubm ark:ubm.ark ark:/dev/null
fgmm-global-acc-stats --gselect=ark:gselect full.ubm ark:ubm.ark /dev/null
fgmm-global-gselect-to-post --min-post=0.025 full.ubm ark:ubm.ark ark:gselect ark:/dev/null
ivector-extract $X/final.ie ark:ubm.ark ark:ubm.post ark:/dev/null
ivector-extractor-acc-stats $X/final.ie ark:ubm.ark ark:ubm.post /dev/null
ivector-extract-online2 $IVECTORS ark:spk2utt ark:hires.ark ark:/dev/null
ivector-mean ark:spk2utt ark:ivectors ark:/dev/null
ivector-normalize-length ark:ivectors ark:/dev/null
