"""What decoding needs to know while a recording is still coming in (Kaldi's online2/)."""
