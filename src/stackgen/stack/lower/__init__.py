"""An image's keys to steps in order, each with the instructions that it makes and the places they come from."""
