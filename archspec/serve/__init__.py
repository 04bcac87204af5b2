"""A page on this machine to write specs in, and see the network at once: `archspec serve`."""
