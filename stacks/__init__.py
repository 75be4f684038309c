"""Where the pipelines run: a YAML file for each stack, its reconciliation with ZenML, and runs on the active stack."""
