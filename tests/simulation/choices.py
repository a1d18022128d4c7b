"""What the comparison with the reference may choose: ids, requests, answers, results; and what each error means."""

from __future__ import annotations

from hypothesis import strategies as st

from pyworkflow.activity import ActivityCanceled, ActivityCompleted, ActivityFailed
from pyworkflow.exceptions import (
    ProcessAlreadyRunning,
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
)

TICK = 0.0137
IDS = st.sampled_from(("p", "q"))
OTHERS = st.sampled_from(("p", "q", "k", "nobody"))
REQUESTS = st.sampled_from(("r1", "r2", "r3", "r4"))
POLICIES = st.sampled_from(("ABANDON", "REQUEST_CANCEL", "TERMINATE"))
NAMES = st.sampled_from(("x", "y"))
PICK = st.integers(0, 5)
DELAYS = st.sampled_from((0.0, 2.0))
OPENING = st.one_of(
    st.tuples(st.just("activity"), NAMES, st.sampled_from(("A", "B", "B", "Z"))),
    st.tuples(st.just("stop"), NAMES),
    st.tuples(st.just("timer"), NAMES, st.sampled_from((0.0, 1.0, 4.0))),
    st.tuples(st.just("untimer"), NAMES),
    st.tuples(st.just("marker"), NAMES),
    st.tuples(st.just("child"), st.sampled_from(("k", "q")), POLICIES),
    st.tuples(st.just("send"), OTHERS),
    st.tuples(st.just("ask"), OTHERS),
)
CLOSING = st.tuples(st.sampled_from(("complete", "fail", "cancel", "continue")))
ANSWERS = st.tuples(st.lists(OPENING, max_size=3), st.lists(CLOSING, max_size=1)).map(lambda parts: parts[0] + parts[1])
RESULTS = {
    "completed": ActivityCompleted(1),
    "failed": ActivityFailed("r"),
    "canceled": ActivityCanceled(),
}
ERRORS = {
    "running": ProcessAlreadyRunning,
    "closed": UnknownProcessException,
    "stale": (UnknownActivityException, UnknownDecisionException),
}
SAID = st.one_of(
    st.tuples(st.just("answer"), ANSWERS),
    st.tuples(st.just("answer"), ANSWERS),
    st.tuples(st.just("fail")),
    st.tuples(st.just("release"), DELAYS),
)
DONE = st.one_of(
    st.tuples(st.just("finish"), st.sampled_from(tuple(RESULTS))),
    st.tuples(st.just("hand back"), DELAYS),
)
