"""What is known about the world, from data: distributions, package manager families, mirrors, public images."""
