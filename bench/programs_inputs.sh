# What the commands of programs_commands.sh read, made by our programs (bench/programs.py)
compute-mfcc-feats --config=$R/conf/mfcc.conf scp:wav.scp ark,scp:$PWD/feats.ark,feats.scp
compute-mfcc-feats --config=$R/conf/mfcc_hires.conf scp:wav.scp ark,scp:$PWD/hires.ark,hires.scp
compute-kaldi-pitch-feats scp:wav.scp ark:pitch.ark
compute-cmvn-stats --spk2utt=ark:spk2utt scp:feats.scp ark:cmvn.ark
apply-cmvn --utt2spk=ark:utt2spk ark:cmvn.ark ark:feats.ark ark:normalized.ark
add-deltas ark:normalized.ark ark:deltas.ark
splice-feats --left-context=3 --right-context=3 ark:normalized.ark ark:spliced.ark
transform-feats $M/final.mat ark:spliced.ark ark:lda.ark
copy-feats --compress=true ark:lda.ark ark:compressed.ark
compile-train-graphs --read-disambig-syms=$L/phones/disambig.int $M/tree $M/final.mdl $L/L.fst ark:text.int ark:graphs
gmm-align-compiled $ALIGN $M/final.alimdl ark:graphs ark:lda.ark ark:first.ali
ali-to-post ark:first.ali ark:- | weight-silence-post 0.0 $SIL $M/final.alimdl ark:- ark:first.post
gmm-post-to-gpost $M/final.alimdl ark:lda.ark ark:first.post ark:first.gpost
gmm-est-fmllr-gpost --spk2utt=ark:spk2utt $M/final.mdl ark:lda.ark ark:first.gpost ark:fmllr
transform-feats --utt2spk=ark:utt2spk ark:fmllr ark:lda.ark ark:sat.ark
gmm-align-compiled $ALIGN $M/final.mdl ark:graphs ark:sat.ark ark:ali
ali-to-pdf $M/final.mdl ark:ali ark:pdfs
ali-to-phones $M/final.mdl ark:ali ark:phones
ali-to-phones --per-frame=true $M/final.mdl ark:ali ark:phones.ali
ali-to-post ark:ali ark:post
weight-silence-post 0.0 $SIL $M/final.mdl ark:post ark:spoken.post
gmm-acc-stats-ali $M/final.mdl ark:sat.ark ark:ali 1.acc
cp 1.acc 2.acc; cp 1.acc 3.acc; cp 1.acc 4.acc
acc-tree-stats --ci-phones=$SIL $M/final.mdl ark:lda.ark ark:ali 1.treeacc
cp 1.treeacc 2.treeacc
cluster-phones 1.treeacc $L/phones/sets.int questions.int
compile-questions $L/topo questions.int questions.qst
build-tree --max-leaves=2000 --cluster-thresh=-1 1.treeacc $L/phones/roots.int questions.qst $L/topo tree
gmm-init-model --write-occs=1.occs tree 1.treeacc $L/topo 1.mdl
acc-lda --rand-prune=4.0 $M/final.mdl ark:spliced.ark ark:post lda.acc
gmm-acc-mllt --rand-prune=4.0 $M/final.mdl ark:lda.ark ark:post mllt.acc
gmm-latgen-faster $DECODE $M/final.mdl $G ark:sat.ark ark:lats
gmm-latgen-faster $DECODE --determinize-lattice=false $M/final.mdl $G ark:sat.ark ark:raw.lats
lattice-to-nbest --acoustic-scale=0.1 --n=20 ark:lats ark:nbest
lattice-1best --acoustic-scale=0.1 ark:lats ark:best
lattice-best-path --acoustic-scale=0.1 ark:lats ark,t:hyp.int ark:hyp.ali
lattice-align-words $L/phones/word_boundary.int $M/final.mdl ark:lats ark:aligned.lats
lattice-align-words $L/phones/word_boundary.int $M/final.mdl ark:best ark:aligned.best
lattice-align-phones --replace-output-symbols=true $M/final.mdl ark:lats ark:phone.lats
nbest-to-linear ark:best ark:best.ali ark,t:best.int
nbest-to-linear ark:nbest ark:n.ali ark:n.int ark:n.lm ark:n.ac
lattice-to-post --acoustic-scale=0.1 ark:lats ark:lats.post
lattice-scale --acoustic-scale=0.1 ark:aligned.lats ark:kws.lats
awk '{print $1, NR}' text.int > utt.map
awk '{print $1, $2, $3}' text.int > keywords.int
lattice-to-kws-index ark:utt.map ark:kws.lats ark:kws.idx
kws-index-union ark:kws.idx ark:kws.global
transcripts-to-fsts ark:keywords.int ark:keywords.fsts
compute-vad --vad-energy-threshold=5 ark:feats.ark ark:vad
apply-cmvn-online --config=$R/conf/online_cmvn.conf --spk2utt=ark:spk2utt $X/global_cmvn.stats ark:hires.ark ark:n.ark
splice-feats --left-context=3 --right-context=3 ark:n.ark ark:hires.spliced
transform-feats $X/final.mat ark:hires.spliced ark:ubm.ark
gmm-gselect --n=10 $X/final.dubm ark:ubm.ark ark:gselect
gmm-global-get-post --n=5 --min-post=0.025 $X/final.dubm ark:ubm.ark ark:ubm.post
gmm-global-acc-stats --gselect=ark:gselect $X/final.dubm ark:ubm.ark ubm.acc
gmm-global-to-fgmm $X/final.dubm full.ubm
cp ubm.acc ubm2.acc
ivector-extract $X/final.ie ark:ubm.ark ark:ubm.post ark:ivectors
est-mllt mllt.mat mllt.acc
gmm-compute-likes $M/final.mdl ark:sat.ark ark:likes
fstproject --project_output=true $SMALL small.words.fst
mkdir htk
