"""Whether the files of a repository are as its rules want them. Bytes in, findings out, and no key is needed.

``files.check`` looks at one file, ``configuration`` at ``.sops.yaml`` and ``.sealpy.yaml``; what they find is in
``findings``.
"""
