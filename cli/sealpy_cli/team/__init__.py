"""Who may read what: recipients and their names, environments and their rules, and the files that follow them."""
