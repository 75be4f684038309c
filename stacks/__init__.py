"""Where the pipelines run: a YAML file a stack, and the reconciliation of those files with ZenML."""
