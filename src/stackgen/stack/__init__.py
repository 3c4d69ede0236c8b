"""The stack language: from nodes to compiled images."""
