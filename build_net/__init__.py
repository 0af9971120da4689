"""How the net is made from its published weights when the package is built."""
