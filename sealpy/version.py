"""Which sealpy this is, and which sops it behaves like."""

__version__ = "0.1.0"

SOPS_VERSION = "3.13.3"
"""The reference whose behaviour is followed to the letter; written into new files' metadata."""
