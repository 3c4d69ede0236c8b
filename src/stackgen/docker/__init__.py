"""Docker's own rules. Nothing in here knows what a stack is."""
