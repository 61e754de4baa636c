"""sops' verbs, one module each."""
