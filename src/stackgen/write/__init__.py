"""The only writers: a plan to an output folder, atomically, with hand edits kept safe."""
