"""Random documents, as people might write them and as nobody would."""
