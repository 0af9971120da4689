"""These scripts need the peers' own environment: the tests of this one leave them alone."""

collect_ignore_glob = ["*.py"]
