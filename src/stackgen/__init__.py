"""stackgen: YAML stacks to Dockerfiles, with inheritance as a real engine sees it."""

__version__ = "0.1.0"
