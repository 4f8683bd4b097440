"""Python imports this by itself when this folder is on PYTHONPATH: sabotage, where it is asked for.

The processes under test run the product as it is; what hurts them comes in from here. Without
BULKWRIGHT_SABOTAGE in the environment nothing happens.
"""

import os

if "BULKWRIGHT_SABOTAGE" in os.environ:
    import seams

    seams.set_up()
