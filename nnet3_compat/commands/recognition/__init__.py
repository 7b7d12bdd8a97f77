"""Recognition with whole models as they are handed on."""
