"""Programs and libraries outside that stackgen calls, a file for each."""
