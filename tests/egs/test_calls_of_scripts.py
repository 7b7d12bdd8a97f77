"""The pipelines that Kaldi's scripts make of our programs, call by call, where there is no Kaldi.

Each snippet has the calls of the script that it is named after, with their options, pipes and order, on the sixteen
synthetic strings of digits of egs/tiny. What the programs compute is tested beside them; here it is that they are
called in Kaldi's ways, hand on what the next reads, and make of it a system that knows its own training data.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.kaldi_recipes import link_programs
from tests.helpers.places import ROOT

pytestmark = pytest.mark.slow

START = """
feats_si="apply-cmvn --utt2spk=ark:data/utt2spk scp:data/cmvn.scp scp:data/feats.scp ark:-"
deltas="ark,s,cs:$feats_si | add-deltas ark:- ark:- |"
spliced="ark,s,cs:$feats_si | splice-feats --left-context=3 --right-context=3 ark:- ark:- |"
scale_opts="--transition-scale=1.0 --acoustic-scale=0.1 --self-loop-scale=0.1"
sil=$(cat lang/phones/silence.csl)
"""
PREPARE = """
mkdir -p data dict
sed "s# # $TINY/#" $TINY/wav.scp > data/wav.scp
cp $TINY/text data/text
sed -E 's/^((\\S+)-\\S+) .*/\\1 \\2/' $TINY/text > data/utt2spk
awk '{u[$2]=u[$2]" "$1} END{for(s in u) print s u[s]}' data/utt2spk | sort > data/spk2utt
cp $ROOT/egs/fsdd/local/lexicon.txt dict
printf 'SIL\\nSPN\\n' > dict/silence_phones.txt
echo SIL > dict/optional_silence.txt
cut -d' ' -f2- dict/lexicon.txt | tr ' ' '\\n' | grep -v -e SIL -e SPN | sort -u > dict/nonsilence_phones.txt
: > dict/extra_questions.txt
nnet-pytorch-prepare-lang dict "<UNK>" lang_tmp lang
awk 'NR==FNR{w[$1]=$2; next} {for(i=2;i<=NF;i++) $i=w[$i]; print}' lang/words.txt data/text > data/text.int
cut -d' ' -f1 dict/lexicon.txt | grep '^[a-z]' | sort -u |
  awk '{print 0, 0, $1, $1, 2.4} END{print 0, 2.4}' |
  fstcompile --isymbols=lang/words.txt --osymbols=lang/words.txt --keep_isymbols=false --keep_osymbols=false |
  fstarcsort --sort_type=ilabel > lang/G.fst
"""
MAKE_MFCC = """
echo "--use-energy=false --sample-frequency=8000" | tr ' ' '\\n' > mfcc.conf
compute-mfcc-feats --write-utt2dur=ark,t:data/utt2dur --verbose=2 --config=mfcc.conf scp,p:data/wav.scp ark:- |
  copy-feats --write-num-frames=ark,t:data/utt2num_frames --compress=true ark:- ark,scp:$PWD/feats.ark,data/feats.scp
compute-cmvn-stats --spk2utt=ark:data/spk2utt scp:data/feats.scp ark,scp:$PWD/cmvn.ark,data/cmvn.scp
"""
TRAIN_MONO = """
mkdir -p mono; cd mono; ln -sf ../data ../lang ../feats.ark ../cmvn.ark .
shared="--shared-phones=lang/phones/sets.int"
dim=$(feat-to-dim "$deltas" -)
gmm-init-mono $shared "--train-feats=$deltas subset-feats --n=10 ark:- ark:-|" lang/topo $dim 0.mdl tree
numgauss=$(gmm-info --print-args=false 0.mdl | grep gaussians | awk '{print $NF}')
compile-train-graphs --read-disambig-syms=lang/phones/disambig.int tree 0.mdl lang/L.fst \\
  "ark:cat data/text.int|" "ark:|gzip -c >fsts.1.gz"
align-equal-compiled "ark:gunzip -c fsts.1.gz|" "$deltas" ark,t:- |
  gmm-acc-stats-ali --binary=true 0.mdl "$deltas" ark:- 0.1.acc
gmm-est --min-gaussian-occupancy=3 --mix-up=$numgauss --power=0.25 0.mdl "gmm-sum-accs - 0.*.acc|" 1.mdl
for x in 1 2 3 4; do
  mdl="gmm-boost-silence --boost=1.25 $(cat lang/phones/optional_silence.csl) $x.mdl - |"
  gmm-align-compiled $scale_opts --beam=10 --retry-beam=40 --careful=false "$mdl" \\
    "ark:gunzip -c fsts.1.gz|" "$deltas" "ark,t:|gzip -c >ali.1.gz"
  gmm-acc-stats-ali $x.mdl "$deltas" "ark:gunzip -c ali.1.gz|" $x.1.acc
  numgauss=$((numgauss + 20))
  gmm-est --write-occs=$((x + 1)).occs --mix-up=$numgauss --power=0.25 $x.mdl "gmm-sum-accs - $x.*.acc|" $((x + 1)).mdl
done
mv 5.mdl final.mdl
"""
TRAIN_LDA_MLLT = """
mkdir -p lda
ali-to-post "ark:gunzip -c mono/ali.1.gz|" ark:- | weight-silence-post 0.0 $sil mono/final.mdl ark:- ark:- |
  acc-lda --rand-prune=4.0 mono/final.mdl "$spliced" ark,s,cs:- lda/lda.1.acc
est-lda --write-full-matrix=lda/full.mat --dim=20 lda/0.mat lda/lda.1.acc 2> lda.log
feats="$spliced transform-feats lda/0.mat ark:- ark:- |"
ciphonelist=$(cat lang/phones/context_indep.csl)
acc-tree-stats --ci-phones=$ciphonelist mono/final.mdl "$feats" "ark:gunzip -c mono/ali.1.gz|" lda/1.treeacc
sum-tree-stats lda/treeacc lda/*.treeacc
cluster-phones lda/treeacc lang/phones/sets.int lda/questions.int
cat lang/phones/extra_questions.int >> lda/questions.int
compile-questions lang/topo lda/questions.int lda/questions.qst
build-tree --verbose=1 --max-leaves=60 --cluster-thresh=-1 lda/treeacc lang/phones/roots.int lda/questions.qst \\
  lang/topo lda/tree
gmm-init-model --write-occs=lda/1.occs lda/tree lda/treeacc lang/topo lda/1.mdl
convert-ali mono/final.mdl lda/1.mdl lda/tree "ark:gunzip -c mono/ali.1.gz|" "ark:|gzip -c >lda/ali.1.gz"
compile-train-graphs --read-disambig-syms=lang/phones/disambig.int lda/tree lda/1.mdl lang/L.fst \\
  "ark:cat data/text.int|" "ark:|gzip -c >lda/fsts.1.gz"
mat=lda/0.mat
for x in 1 2 3; do
  gmm-align-compiled $scale_opts --beam=10 --retry-beam=40 --careful=false \\
    "gmm-boost-silence --boost=1.0 $(cat lang/phones/optional_silence.csl) lda/$x.mdl - |" \\
    "ark:gunzip -c lda/fsts.1.gz|" "$spliced transform-feats $mat ark:- ark:- |" "ark:|gzip -c >lda/ali.1.gz"
  if [ $x = 2 ]; then
    ali-to-post "ark:gunzip -c lda/ali.1.gz|" ark:- | weight-silence-post 0.0 $sil lda/$x.mdl ark:- ark:- |
      gmm-acc-mllt --rand-prune=4.0 lda/$x.mdl "$spliced transform-feats $mat ark:- ark:- |" ark:- lda/$x.1.macc
    est-mllt lda/$x.mat.new lda/$x.*.macc
    gmm-transform-means lda/$x.mat.new lda/$x.mdl lda/$x.mdl
    compose-transforms --print-args=false lda/$x.mat.new $mat lda/$x.mat
    mat=lda/$x.mat
  fi
  gmm-acc-stats-ali lda/$x.mdl "$spliced transform-feats $mat ark:- ark:- |" "ark,s,cs:gunzip -c lda/ali.1.gz|" \\
    lda/$x.1.acc
  gmm-est --write-occs=lda/$((x + 1)).occs --mix-up=$((100 + 10 * x)) --power=0.25 lda/$x.mdl \\
    "gmm-sum-accs - lda/$x.*.acc |" lda/$((x + 1)).mdl
done
cp lda/4.mdl lda/final.mdl
cp $mat lda/final.mat
"""
SI = 'sifeats="$spliced transform-feats lda/final.mat ark:- ark:- |"\n'
FMLLR = SI + 'feats="$sifeats transform-feats --utt2spk=ark:data/utt2spk ark:sat/trans.1 ark:- ark:- |"\n'
TRAIN_SAT = """
mkdir -p sat
cp lda/final.mdl sat/1.mdl
ali-to-post "ark:gunzip -c lda/ali.1.gz|" ark:- | weight-silence-post 0.0 $sil lda/final.mdl ark:- ark:- |
  gmm-est-fmllr --fmllr-update-type=full --spk2utt=ark:data/spk2utt lda/final.mdl "$sifeats" ark:- ark:sat/trans.1
gmm-init-model-flat lda/tree lang/topo sat/flat.mdl "$feats subset-feats ark:- ark:-|"
ali-to-post "ark:gunzip -c lda/ali.1.gz|" ark:- | weight-silence-post 0.0 $sil sat/1.mdl ark:- ark:- |
  gmm-est-fmllr --fmllr-update-type=full --spk2utt=ark:data/spk2utt sat/1.mdl "$feats" ark:- ark:sat/tmp_trans.1
compose-transforms --b-is-affine=true ark:sat/tmp_trans.1 ark:sat/trans.1 ark:sat/composed_trans.1
mv sat/composed_trans.1 sat/trans.1
gmm-acc-stats-ali sat/1.mdl "$feats" "ark,s,cs:gunzip -c lda/ali.1.gz|" sat/1.1.acc
gmm-est --power=0.25 --write-occs=sat/2.occs --mix-up=120 sat/1.mdl "gmm-sum-accs - sat/1.*.acc |" sat/2.mdl
ali-to-post "ark:gunzip -c lda/ali.1.gz|" ark:- |
  gmm-acc-stats-twofeats sat/2.mdl "$feats" "$sifeats" ark,s,cs:- sat/2.1.acc
gmm-est --power=0.25 --remove-low-count-gaussians=false sat/2.mdl "gmm-sum-accs - sat/2.*.acc|" sat/2.alimdl
cp sat/2.mdl sat/final.mdl
cp sat/2.alimdl sat/final.alimdl
"""
ALIGN_FMLLR = """
gmm-align-compiled $scale_opts --beam=10 --retry-beam=40 --careful=false \\
  "gmm-boost-silence --boost=1.0 $(cat lang/phones/optional_silence.csl) sat/final.alimdl - |" \\
  "ark:gunzip -c lda/fsts.1.gz|" "$sifeats" "ark:|gzip -c >sat/pre_ali.1.gz"
ali-to-post "ark:gunzip -c sat/pre_ali.1.gz|" ark:- | weight-silence-post 0.0 $sil sat/final.alimdl ark:- ark:- |
  gmm-post-to-gpost sat/final.alimdl "$sifeats" ark:- ark:- |
  gmm-est-fmllr-gpost --fmllr-update-type=full --spk2utt=ark:data/spk2utt sat/final.mdl "$sifeats" \\
  ark,s,cs:- ark:sat/trans.1
gmm-align-compiled $scale_opts --beam=10 --retry-beam=40 --careful=false sat/final.mdl \\
  "ark:gunzip -c lda/fsts.1.gz|" "$feats" "ark:|gzip -c >sat/ali.1.gz"
ali-to-phones --write-lengths=true sat/final.mdl "ark:gunzip -c sat/ali.1.gz|" ark,t:- > phones_and_lengths
"""
GET_PRONS = """
linear-to-nbest "ark:gunzip -c sat/ali.1.gz|" "ark:cat data/text.int |" "" "" ark:- |
  lattice-align-words lang/phones/word_boundary.int sat/final.mdl ark:- ark:- |
  nbest-to-prons sat/final.mdl ark:- "|gzip -c >sat/prons.1.gz"
gunzip -c sat/prons.1.gz
"""
MKGRAPH = """
mkdir -p graph
fsttablecompose lang/L_disambig.fst lang/G.fst | fstdeterminizestar --use-log=true | fstminimizeencoded |
  fstpushspecial > graph/LG.fst
fstisstochastic graph/LG.fst || true
width=$(tree-info --print-args=false lda/tree | grep context-width | awk '{print $NF}')
position=$(tree-info --print-args=false lda/tree | grep central-position | awk '{print $NF}')
fstcomposecontext --context-size=$width --central-position=$position --read-disambig-syms=lang/phones/disambig.int \\
  --write-disambig-syms=graph/disambig_ilabels.int graph/ilabels graph/LG.fst |
  fstarcsort --sort_type=ilabel > graph/CLG.fst
make-h-transducer --disambig-syms-out=graph/disambig_tid.int --transition-scale=1.0 graph/ilabels lda/tree \\
  sat/final.mdl > graph/Ha.fst
fsttablecompose graph/Ha.fst graph/CLG.fst | fstdeterminizestar --use-log=true |
  fstrmsymbols graph/disambig_tid.int | fstrmepslocal | fstminimizeencoded > graph/HCLGa.fst
add-self-loops --self-loop-scale=0.1 --reorder=true sat/final.mdl graph/HCLGa.fst | fstconvert --fst_type=const \\
  > graph/HCLG.fst
am-info --print-args=false sat/final.mdl | grep pdfs | awk '{print $NF}' > graph/num_pdfs
"""
DECODE_FMLLR = """
mkdir -p decode
latgen() {
  gmm-latgen-faster --max-active=$1 --beam=$2 --lattice-beam=6.0 --acoustic-scale=0.083333 --allow-partial=true \\
    --word-symbol-table=lang/words.txt "${@:3}"
}
latgen 2000 10.0 sat/final.alimdl graph/HCLG.fst "$sifeats" "ark:|gzip -c > decode/si.1.gz"
gunzip -c decode/si.1.gz | lattice-to-post --acoustic-scale=0.083333 ark:- ark:- |
  weight-silence-post 0.01 $sil sat/final.alimdl ark:- ark:- |
  gmm-post-to-gpost sat/final.alimdl "$sifeats" ark:- ark:- |
  gmm-est-fmllr-gpost --fmllr-update-type=full --spk2utt=ark:data/spk2utt sat/final.mdl "$sifeats" ark,s,cs:- \\
  ark:decode/pre_trans.1
pass1feats="$sifeats transform-feats --utt2spk=ark:data/utt2spk ark:decode/pre_trans.1 ark:- ark:- |"
latgen 7000 13.0 --determinize-lattice=false sat/final.mdl graph/HCLG.fst "$pass1feats" \\
  "ark:|gzip -c > decode/lat.tmp.1.gz"
lattice-determinize-pruned --acoustic-scale=0.083333 --beam=4.0 "ark:gunzip -c decode/lat.tmp.1.gz|" ark:- |
  lattice-to-post --acoustic-scale=0.083333 ark:- ark:- | weight-silence-post 0.01 $sil sat/final.mdl ark:- ark:- |
  gmm-est-fmllr --fmllr-update-type=full --spk2utt=ark:data/spk2utt sat/final.mdl "$pass1feats" \\
  ark,s,cs:- ark:decode/trans_tmp.1 &&
  compose-transforms --b-is-affine=true ark:decode/trans_tmp.1 ark:decode/pre_trans.1 ark:decode/trans.1
gmm-rescore-lattice sat/final.mdl "ark:gunzip -c decode/lat.tmp.1.gz|" \\
  "$sifeats transform-feats --utt2spk=ark:data/utt2spk ark:decode/trans.1 ark:- ark:- |" ark:- |
  lattice-determinize-pruned --acoustic-scale=0.083333 --beam=6.0 ark:- "ark:|gzip -c > decode/lat.1.gz"
lattice-scale --inv-acoustic-scale=10 "ark:gunzip -c decode/lat.*.gz|" ark:- |
  lattice-add-penalty --word-ins-penalty=0.0 ark:- ark:- |
  lattice-best-path --word-symbol-table=lang/words.txt ark:- ark,t:decode/10.tra
compute-wer --text --mode=present ark:data/text.int ark,p:decode/10.tra
"""
IVECTORS = """
mkdir -p iv/conf
matrix-sum --binary=false scp:data/cmvn.scp - > iv/global_cmvn.stats 2>/dev/null
: > iv/online_cmvn.conf
splice="--left-context=3 --right-context=3"
cmvn="apply-cmvn-online --config=iv/online_cmvn.conf --spk2utt=ark:data/spk2utt iv/global_cmvn.stats"
some="ark,s,cs:head -n 12 data/feats.scp | apply-cmvn-online iv/global_cmvn.stats scp:- ark:-"
est-pca --dim=15 --normalize-variance=false --normalize-mean=false \\
  "$some | splice-feats $splice ark:- ark:- | subsample-feats --n=2 ark:- ark:- |" iv/final.mat
spliced="$cmvn scp:data/feats.scp ark:- | splice-feats $splice ark:- ark:-"
all="ark,s,cs:$spliced | transform-feats iv/final.mat ark:- ark:- |"
feats="$all subsample-feats --n=2 ark:- ark:- |"
gmm-global-init-from-feats --num-threads=2 --num-frames=2000 --min-gaussian-weight=0.0001 --num-gauss=8 \\
  --num-gauss-init=4 --num-iters=5 "$all" iv/0.dubm
gmm-gselect --n=4 iv/0.dubm "$feats" "ark:|gzip -c >iv/gselect.1.gz"
gmm-global-acc-stats "--gselect=ark,s,cs:gunzip -c iv/gselect.1.gz|" iv/0.dubm "$feats" iv/0.1.acc
gmm-global-est --remove-low-count-gaussians=true --min-gaussian-weight=0.0001 iv/0.dubm \\
  "gmm-global-sum-accs - iv/0.*.acc|" iv/final.dubm
ivector-extractor-init --ivector-dim=5 --use-weights=false "gmm-global-to-fgmm iv/final.dubm -|" iv/0.ie
gmm-global-get-post --n=4 --min-post=0.025 iv/final.dubm "$feats" ark:- |
  scale-post ark:- 0.2 "ark:|gzip -c >iv/post.1.gz"
for x in 0 1; do
  one="ivector-extractor-acc-stats --num-threads=2 iv/$x.ie '$feats' 'ark,s,cs:gunzip -c iv/post.1.gz|' -|"
  ivector-extractor-sum-accs --parallel=true "$one" "$one" iv/acc.$x.1
  ivector-extractor-sum-accs iv/acc.$x.1 iv/acc.$x
  ivector-extractor-est --num-threads=2 iv/$x.ie iv/acc.$x iv/$((x + 1)).ie
done
cat > iv/conf/ivector_extractor.conf <<EOF
--cmvn-config=iv/online_cmvn.conf
--ivector-period=10
--splice-config=iv/conf/splice.conf
--lda-matrix=iv/final.mat
--global-cmvn-stats=iv/global_cmvn.stats
--diag-ubm=iv/final.dubm
--ivector-extractor=iv/2.ie
--num-gselect=4
--min-post=0.025
--posterior-scale=0.1
--max-remembered-frames=1000
--max-count=0
EOF
echo $splice | tr ' ' '\\n' > iv/conf/splice.conf
ivector-extract-online2 --config=iv/conf/ivector_extractor.conf ark:data/spk2utt scp:data/feats.scp ark:- |
  copy-feats --compress=true ark:- ark,scp:$PWD/iv/ivector_online.1.ark,iv/ivector_online.1.scp
feat-to-dim scp:iv/ivector_online.1.scp -
feat-to-len scp:iv/ivector_online.1.scp ark,t:-
"""

MAKE_BIASED_LM_GRAPHS = """
compile="--read-disambig-syms=lang/phones/disambig.int lda/tree lda/final.mdl"
compile-train-graphs $compile lang/L.fst "ark:cat data/text.int|" ark,t:graphs.of_words
awk '{print $1; for (i = 2; i <= NF; i++) print i - 2, i - 1, $i, $i; print NF - 1 "\\n"}' data/text.int > linear.fsts
compile-train-graphs-fsts $compile lang/L.fst ark:linear.fsts ark,t:graphs.of_fsts
cmp graphs.of_words graphs.of_fsts
fstprint lang/G.fst > loop
while read -r key _; do printf '%s \\n%s\\n\\n' "$key" "$(cat loop)"; done < data/text |
  compile-train-graphs-fsts --batch-size=75 $compile lang/L_disambig.fst ark:- "ark:|gzip -c >graphs.of_loop.gz"
for graphs in lda/fsts.1.gz graphs.of_loop.gz; do
  gmm-align-compiled $scale_opts lda/final.mdl "ark:gunzip -c $graphs|" "$sifeats" ark:- |
    ali-to-phones lda/final.mdl ark:- ark,t:-
done
"""
TRAIN_MMI = """
mkdir -p denlats mmi mpe
gmm-latgen-faster --beam=13.0 --lattice-beam=7.0 --acoustic-scale=0.1 --max-mem=20000000 --max-active=5000 \\
  --word-symbol-table=lang/words.txt lda/final.mdl graph/HCLG.fst "$sifeats" "ark:|gzip -c >denlats/lat.1.gz"
cp lda/final.mdl mmi/0.mdl
lats="ark:gunzip -c denlats/lat.1.gz| lattice-boost-ali --b=0.1 --silence-phones=$sil lda/final.mdl ark:-"
lats="$lats 'ark,s,cs:gunzip -c lda/ali.1.gz|' ark:- |"
for x in 0 1; do
  gmm-rescore-lattice mmi/$x.mdl "$lats" "$sifeats" ark:- | lattice-to-post --acoustic-scale=0.1 ark:- ark:- |
    sum-post --drop-frames=false --merge=true --scale1=-1 ark:- \\
    "ark,s,cs:gunzip -c lda/ali.1.gz | ali-to-post ark:- ark:- |" ark:- |
    gmm-acc-stats2 mmi/$x.mdl "$sifeats" ark,s,cs:- mmi/num_acc.$x.1.acc mmi/den_acc.$x.1.acc
  for kind in num den; do gmm-sum-accs mmi/${kind}_acc.$x.acc mmi/${kind}_acc.$x.*.acc; done
  gmm-est-gaussians-ebw --tau=10 mmi/$x.mdl mmi/num_acc.$x.acc mmi/den_acc.$x.acc - |
    gmm-est-weights-ebw --weight-tau=10 - mmi/num_acc.$x.acc mmi/den_acc.$x.acc mmi/$((x + 1)).mdl
done
"""
TRAIN_MPE = """
cur_mdl=lda/final.mdl
for x in 0 1; do
  gmm-rescore-lattice $cur_mdl "ark:gunzip -c denlats/lat.1.gz|" "$sifeats" ark:- |
    lattice-to-mpe-post --acoustic-scale=0.02 $cur_mdl "ark,s,cs:gunzip -c lda/ali.1.gz |" ark:- ark:- |
    gmm-acc-stats2 $cur_mdl "$sifeats" ark,s,cs:- mpe/num_acc.$x.acc mpe/den_acc.$x.acc
  gmm-acc-stats $cur_mdl "$sifeats" "ark,s,cs:gunzip -c lda/ali.1.gz | ali-to-post ark:- ark:- |" mpe/ml.$x.acc
  gmm-est-gaussians-ebw $cur_mdl "gmm-ismooth-stats --tau=10 mpe/ml.$x.acc mpe/num_acc.$x.acc -|" mpe/den_acc.$x.acc - |
    gmm-est-weights-ebw - mpe/num_acc.$x.acc mpe/den_acc.$x.acc mpe/$((x + 1)).mdl
  cur_mdl=mpe/$((x + 1)).mdl
done
gmm-rescore-lattice $cur_mdl "ark:gunzip -c denlats/lat.1.gz|" "$sifeats" ark:- |
  lattice-to-mpe-post --acoustic-scale=0.02 $cur_mdl "ark,s,cs:gunzip -c lda/ali.1.gz |" ark:- ark:/dev/null
"""
DECODE_BIGLM = """
oldlm_cmd="fstproject --project_output=true lang/G.fst | fstarcsort --sort_type=ilabel |"
gmm-latgen-biglm-faster --max-active=7000 --beam=13.0 --lattice-beam=6.0 --acoustic-scale=0.083333 \\
  --allow-partial=true --word-symbol-table=lang/words.txt mmi/2.mdl graph/HCLG.fst "$oldlm_cmd" "$oldlm_cmd" \\
  "$sifeats" "ark:|gzip -c > decode/biglm.1.gz"
gmm-latgen-faster --max-active=7000 --beam=13.0 --lattice-beam=6.0 --acoustic-scale=0.083333 \\
  --allow-partial=true mmi/2.mdl graph/HCLG.fst "$sifeats" "ark:|gzip -c > decode/mmi.1.gz"
lattice-equivalent "ark:gunzip -c decode/biglm.1.gz|" "ark:gunzip -c decode/mmi.1.gz|"
"""


class Work:
    """A folder in which snippets are run one after another."""

    def __init__(self, folder: Path) -> None:
        link_programs(folder / "links")
        path = f"{folder}/links:{Path(sys.executable).parent}:{os.environ['PATH']}"
        tiny = {"ROOT": str(ROOT), "TINY": str(ROOT / "egs/tiny/data")}
        self._environment = {**os.environ, **tiny, "PATH": path, "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
        self.folder = folder

    def run(self, script: str, start: str = START) -> str:
        """Standard output and error of a snippet, which must succeed and say of no bug."""
        made = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", start + script],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout[-1000:] + made.stderr[-4000:]
        assert "(a bug;" not in made.stderr
        return made.stdout + made.stderr


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    """Data, lang, and a system trained with the calls of train_mono.sh, train_lda_mllt.sh, train_sat.sh."""
    work = Work(tmp_path_factory.mktemp("calls"))
    work.run(PREPARE, start="")
    for script in (MAKE_MFCC, TRAIN_MONO, TRAIN_LDA_MLLT, SI + FMLLR + TRAIN_SAT, SI + FMLLR + ALIGN_FMLLR):
        work.run(script)
    return work


def test_alignments(work: Work) -> None:
    """Every phone of every digit string is there, and most recordings begin with silence."""
    lines = (work.folder / "phones_and_lengths").read_text().splitlines()
    assert len(lines) == 16
    frames = dict(line.split() for line in (work.folder / "data/utt2num_frames").read_text().splitlines())
    for line in lines:
        key, rest = line.split(maxsplit=1)
        assert sum(int(phone.split()[1]) for phone in rest.split(";")) == int(frames[key])


def test_get_prons(work: Work) -> None:
    """Each digit with the pronunciation of the lexicon, in the order of the transcripts."""
    lines = [line.split() for line in work.run(GET_PRONS).splitlines() if re.match(r"en-us-\S+ \d+ \d+ \d+", line)]
    words = dict(line.split()[::-1] for line in (work.folder / "lang/words.txt").read_text().splitlines())
    spoken: dict[str, list[str]] = {}
    for key, _, _, word, *phones in lines:
        assert phones
        if words[word] != "<eps>":
            spoken.setdefault(key, []).append(words[word])
    text = dict(line.split(maxsplit=1) for line in (work.folder / "data/text").read_text().splitlines())
    assert {key: " ".join(digits) for key, digits in spoken.items()} == text


def test_decode_fmllr(work: Work) -> None:
    work.run(MKGRAPH)
    output = work.run(SI + DECODE_FMLLR)
    rate = re.search(r"^%WER (\S+) ", output, re.M)
    assert rate and float(rate[1]) < 10.0, output[-1000:]


def test_train_mmi_and_mpe(work: Work) -> None:
    """MMI raises its own function, MPE lowers no expected accuracy; the same language model changes no lattice."""
    work.run(MKGRAPH)
    output = work.run(SI + TRAIN_MMI)
    gains = [float(value) for value in re.findall(r"Overall auxf impr/frame from Gaussian update is (\S+)", output)]
    assert len(gains) == 2 and min(gains) > 0.0
    output = work.run(SI + TRAIN_MPE)
    first, _, last = re.findall(r"lattice-to-mpe-post.*Overall average frame-accuracy is (\S+) over", output)
    assert 0.95 < float(first) <= float(last) <= 1.0
    work.run("mkdir -p decode\n" + SI + DECODE_BIGLM)


def test_make_biased_lm_graphs(work: Work) -> None:
    """A grammar of a transcript's words gives the transcript's graph; one of any digits finds most of them."""
    output = work.run(SI + MAKE_BIASED_LM_GRAPHS)
    phones: dict[str, list[str]] = {}
    for key, line in re.findall(r"^(en-us-\S+) ([\d ]+)$", output, re.M):
        phones.setdefault(key, []).append(line.strip())
    assert len(phones) == 16
    assert sum(transcript == found for transcript, found in phones.values()) > 12


def test_ivectors(work: Work) -> None:
    """One for every ten frames, of the extractor's dimension."""
    output = work.run(IVECTORS)
    lengths = dict(re.findall(r"^(en-us-\S+) (\d+) *$", output, re.M))
    frames = dict(line.split() for line in (work.folder / "data/utt2num_frames").read_text().splitlines())
    assert {key: int(count) for key, count in lengths.items()} == {k: -(-int(n) // 10) for k, n in frames.items()}
    assert re.search(r"^5$", output, re.M)
