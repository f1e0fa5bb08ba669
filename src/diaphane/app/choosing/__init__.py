"""Choosing on the command line: ``diaphane search`` and ``diaphane compare``."""
