"""What this project keeps on this machine: the state folder, its locks and its files."""
