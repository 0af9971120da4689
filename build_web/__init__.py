"""How the pages of the desk are built when the package is built."""
