"""The tests of stackgen: each drives the public API or the command line, and says in a sentence what it protects."""
