"""What Amazon SWF's protocol says, as tables without I/O: its decisions and events beside ours, in both directions.

`read_decision`, `write_decision` and the Reader and Writer of histories take and give plain dicts, as botocore does.
"""

from .decisions import read_decision, write_decision
from .foreign import ForeignDecision, ForeignEvent
from .reading import Reader
from .values import DECISIONS_SIDE, EVENTS_SIDE, FOREVER, LONGEST, JsonTexts, Side, Texts
from .writing import Start
from .written import Writer

__all__ = [
    "DECISIONS_SIDE",
    "EVENTS_SIDE",
    "FOREVER",
    "LONGEST",
    "ForeignDecision",
    "ForeignEvent",
    "JsonTexts",
    "Reader",
    "Side",
    "Start",
    "Texts",
    "Writer",
    "read_decision",
    "write_decision",
]
