"""sealpy: SOPS files as plain Python data."""
