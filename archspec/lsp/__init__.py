"""The language server: what an editor asks while somebody types, answered from the passes of the compiler.

The protocol's thread reads and writes (`server`); one other thread thinks (`worker`). A text is read and its networks
elaborated at each change, which takes some hundredths of a second; what `archspec check` says of all its variants, and
what would mend them, follows when nobody types (`session`).
"""
