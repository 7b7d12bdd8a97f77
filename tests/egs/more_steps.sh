# Scripts of Kaldi's steps/ and utils/ that no run.sh of the tests' recipes calls, on what egs/an4 has trained.
set -eo pipefail
. ./path.sh

decode="--config conf/decode.config --nj 2 --skip-scoring true"
train="--num-iters 6 --realign-iters 3 --fmllr-iters 2 200 1000 data/train data/lang"

# Another language model
cut -d' ' -f2- data/train/text > sentences
nnet-pytorch-train-lm --has-keys=false --order=2 --vocabulary=data/lang/words.txt sentences "|gzip -c >bigrams.gz"
utils/format_lm.sh data/lang bigrams.gz data/local/dict/lexicon.txt data/lang_bg
for mode in 1 2 3 4 5; do
  steps/lmrescore.sh --mode $mode --skip-scoring true data/lang data/lang_bg data/test exp/tri2/decode exp/rescored_$mode
done
steps/decode_biglm.sh $decode exp/tri2/graph data/lang/G.fst data/lang_bg/G.fst data/test exp/tri2/decode_biglm

# Lattices and alignments
steps/oracle_wer.sh data/test data/lang exp/tri2/decode
steps/get_ctm_conf.sh --min-lmwt 10 --max-lmwt 10 data/test data/lang exp/tri2/decode
steps/get_ctm_fast.sh data/test data/lang exp/tri2/decode exp/ctm
steps/get_train_ctm.sh data/train data/lang exp/tri2_ali
steps/word_align_lattices.sh data/lang exp/tri2/decode exp/words
steps/decode_combine.sh --skip-scoring true data/test data/lang exp/tri1/decode exp/tri2/decode exp/combined
steps/decode_fromlats.sh --skip-scoring true data/test data/lang exp/tri2/decode exp/tri2/decode_fromlats
steps/decode_si.sh $decode exp/tri1/graph data/test exp/tri1/decode_si
steps/decode_nolats.sh --nj 2 exp/tri1/graph data/test exp/tri1/decode_nolats
steps/best_path_weights.sh data/test exp/tri2/decode exp/best_path
steps/copy_ali_dir.sh --nj 2 --cmd run.pl data/train exp/tri2_ali exp/tri2_ali_copy
steps/copy_lat_dir.sh --nj 2 --cmd run.pl data/test exp/tri2/decode exp/lattices
steps/combine_ali_dirs.sh --nj 2 data/train exp/ali_combined exp/tri2_ali exp/tri2_ali_copy
steps/subset_ali_dir.sh data/train data/train exp/tri2_ali exp/ali_subset

# Other adaptation: bases of fMLLR, of MFCCs before splicing, vocal tract length
steps/get_fmllr_basis.sh data/train data/lang exp/tri3
steps/align_basis_fmllr.sh --nj 2 data/train data/lang exp/tri3 exp/tri3_ali
steps/align_basis_fmllr_lats.sh --nj 2 data/train data/lang exp/tri3 exp/tri3_lats
steps/decode_basis_fmllr.sh $decode exp/tri3/graph data/test exp/tri3/decode_basis
steps/decode_fmllr_extra.sh $decode exp/tri3/graph data/test exp/tri3/decode_extra
steps/train_sat_basis.sh $train exp/tri3_ali exp/basis
steps/align_raw_fmllr.sh --nj 2 data/train data/lang exp/tri2 exp/raw_ali
steps/train_raw_sat.sh $train exp/raw_ali exp/raw
steps/train_lvtln.sh --num-iters 6 --num-utt-lvtln-init 40 200 1000 data/train data/lang exp/tri1_ali exp/vtln
steps/align_lvtln.sh --nj 2 data/train data/lang exp/vtln exp/vtln_ali
for system in raw vtln; do utils/mkgraph.sh data/lang exp/$system exp/$system/graph; done
steps/decode_raw_fmllr.sh --use-normal-fmllr true $decode exp/raw/graph data/test exp/raw/decode
steps/decode_lvtln.sh $decode exp/vtln/graph data/test exp/vtln/decode
steps/train_quick.sh --num-iters 4 --realign-iters 2 200 1000 data/train data/lang exp/tri3_ali exp/quick
steps/train_map.sh data/train data/lang exp/tri2_ali exp/map

# sMBR, decoding in pieces
steps/make_denlats.sh --nj 1 data/train data/lang exp/tri2 exp/tri2_denlats
steps/train_smbr.sh --num-iters 2 data/train data/lang exp/tri2_ali exp/tri2_denlats exp/smbr
touch conf/online_cmvn.conf
steps/online/prepare_online_decoding.sh data/train data/lang exp/tri3 exp/online
steps/online/decode.sh $decode exp/tri3/graph data/test exp/online/decode

# Features of other kinds, put together
for kind in fbank plp; do echo "--sample-frequency=16000" > conf/$kind.conf; done
echo "--sample-frequency=16000" > conf/pitch.conf
for kind in fbank fbank_pitch plp_pitch; do
  utils/copy_data_dir.sh data/test data/$kind
  steps/make_$kind.sh --nj 2 data/$kind
  steps/compute_cmvn_stats.sh data/$kind
done
steps/paste_feats.sh --nj 2 data/test data/fbank data/pasted exp/pasted exp/pasted
steps/append_feats.sh --nj 2 data/test data/plp_pitch data/appended exp/appended exp/appended
steps/select_feats.sh --nj 2 0-5 data/test data/selected exp/selected exp/selected
utils/data/shift_and_combine_feats.sh 3 data/test data/shifted
utils/data/resample_data_dir.sh 8000 data/fbank

score="steps/score_kaldi.sh --min-lmwt 10 --max-lmwt 10 --word-ins-penalty 0.0 --stats false data/test data/lang"
for folder in exp/rescored_{1,2,3,4,5} exp/combined exp/*/decode_{biglm,fromlats,si,basis,extra} exp/{raw,vtln,online}/decode; do
  $score $folder
done
