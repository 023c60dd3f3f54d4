"""Pages to look at: what a command has found, as one HTML file that needs no network and no script.

``parts`` are what a page is made of, ``render`` makes the file, and every command has a module that puts its parts
together out of its report and the arrays that it has.
"""
