"""The verbs of run.py, a module each, and what several verbs share. A verb loads its libraries when it runs."""
