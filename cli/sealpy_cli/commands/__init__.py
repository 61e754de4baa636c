"""The commands of sealpy itself, one module each."""
