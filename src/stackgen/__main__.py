"""`python -m stackgen`, the same as the command."""

from stackgen.cli import main

main()
