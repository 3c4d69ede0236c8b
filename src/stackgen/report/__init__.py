"""Findings and results for people and programs."""
