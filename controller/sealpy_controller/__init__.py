"""The reconciler: Git in, running secrets out."""
