"""The verbs of run.py, a module each. A verb loads its libraries when it runs, so that `--help` is fast."""
