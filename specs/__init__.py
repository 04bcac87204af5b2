"""The bundled specs, as a folder that can be read from a checkout and from a wheel."""
