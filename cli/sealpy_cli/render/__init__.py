"""Reports: a ``ChangeSet`` in, text out. One module per format; each says by its type which values it takes."""
