"""What every HTTP service shares. Imports no database: of the ledger only the type of the caller."""
