"""Typed clients of the services: one class for each service, and one exception for everything that goes wrong."""
