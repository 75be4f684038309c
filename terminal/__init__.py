"""What a person at the terminal sees: progress, tables, next commands, errors. Rich is loaded at the first output."""
