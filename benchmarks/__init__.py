"""Measurements of speed and quality, compared with the alternatives. Each module is a command."""
