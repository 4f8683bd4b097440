"""An uploaded zip becomes records: the only code that reads what a stranger has packed.

archive.py    the zip: refuses what is unsound, inflates one member under a byte count
charsets.py   which encodings are read, how one is recognised, bytes to UTF-8
records.py    where CSV records end: fast for sound quoting, exact for the rest
text.py       ties it together: format of a CSV, blocks of whole records, a first inspection

Nothing here writes to disk, trusts a declared size or looks up a codec by a caller's name.
"""
