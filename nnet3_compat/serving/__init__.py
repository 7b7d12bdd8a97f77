"""Many streams of speech served from one model, to Vosk's clients and to Kaldi's."""
