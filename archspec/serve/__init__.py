"""A page on this machine to write specs in, and see at once what becomes of them: `archspec serve`."""
