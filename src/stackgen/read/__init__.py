"""Bytes to checked nodes."""
