"""Keyword search: how well keywords were found."""
