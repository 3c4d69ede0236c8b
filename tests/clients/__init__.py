"""Real package managers as judges of what is rendered for them: Debian has dnf and apt, and `.ci/run` installs them."""
