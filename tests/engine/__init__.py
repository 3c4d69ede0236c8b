"""Tests on a real Docker engine, which engine.sh starts; base.sh makes the image that all stands on."""
