"""Compiled images to files: form is in templates/, here are the values that they are given."""
