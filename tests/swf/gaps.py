"""What the suite asks for and Amazon SWF does not do, and what moto lacks: test by test, with reasons."""

from __future__ import annotations

from fnmatch import fnmatchcase

WHOLE_SECONDS = "SWF counts whole seconds: ours are rounded up"
NO_TOKEN = "SWF tells the token of a task to its holder alone"
NO_DETAILS = "SWF does not repeat what was refused, nor why a child was terminated"
HANDED_BACK = "SWF takes no activity back: the next decision schedules it again, under another token"
RETENTION = "SWF forgets closed executions by itself"
NUMBERS = "SWF numbers its own events, of which a decider is not shown all"
HEARTBEATS = "SWF tells what a heartbeat said only when it timed out"
OWN_CHECK = "SWF looks at its own token, not at the names before it"

DIFFERENCES = {
    "*_exactly*[[]0.25]": WHOLE_SECONDS,
    "*_exactly*[[]5.5]": WHOLE_SECONDS,
    "*_exactly*-0.25]": WHOLE_SECONDS,
    "*_exactly*-5.5]": WHOLE_SECONDS,
    "test_a_timer_fires_once_and_not_early[[]0.25]": WHOLE_SECONDS,
    "test_a_timer_fires_once_and_not_early[[]5.5]": WHOLE_SECONDS,
    "test_decisions_come_back_with_their_payloads": WHOLE_SECONDS,
    "test_a_decision_can_be_handed_back_for_later": WHOLE_SECONDS,
    "test_a_failed_activity_leaves_its_reason": NO_TOKEN,
    "test_an_id_can_be_used_again_after_it_ended": NO_TOKEN,
    "test_a_child_may_have_the_id_of_one_that_closed": NO_TOKEN,
    "test_a_close_that_has_not_seen_everything_is_refused*": NO_DETAILS,
    "test_a_decision_that_cannot_be_applied_is_refused_alone*TIMER_ID_ALREADY_IN_USE]": NO_DETAILS,
    "test_a_parent_hears_how_its_child_ended*terminate*": NO_DETAILS,
    "test_an_activity_can_be_handed_back_for_later": HANDED_BACK,
    "test_an_activity_handed_back_*": HANDED_BACK,
    "test_an_activity_to_be_canceled_is_when_it_is_handed_back": HANDED_BACK,
    "test_an_idempotency_key_stays_while_tokens_change": HANDED_BACK,
    "test_the_time_to_be_taken_begins_anew_when_it_is_handed_back": HANDED_BACK,
    "test_an_old_run_is_forgotten_and_the_process_goes_on": RETENTION,
    "test_purging_forgets_what_closed_before": RETENTION,
    "test_tokens_of_purged_processes_are_stale": RETENTION,
    "test_a_history_is_read_in_any_part": NUMBERS,
    "test_events_know_their_place_and_their_time": NUMBERS,
    "test_a_description_says_what_is_pending": HEARTBEATS,
    "test_a_heartbeat_adds_no_event": HEARTBEATS,
    "test_a_token_that_names_other_events_is_no_task": OWN_CHECK,
    "test_a_task_says_what_there_is_to_do": "SWF does not tell a worker the heartbeat timeout: the type's is taken",
    "test_a_type_without_a_timeout_has_none": "SWF closes a run after a year",
    "test_queues_are_counted": "SWF has no list of task lists: those of registered types are counted",
    "test_a_decider_whose_answers_are_refused_is_slowed_down_and_blocked": "SWF refuses after the answer: blocked is who asks next",
    "test_a_request_repeated_in_the_next_run_signals_once": "SWF's runs know nothing of each other's signals",
}
"""What no client of SWF can do, whatever stands behind it. docs/amazonswf.md tells users."""

GAPS: dict[str, str] = {}
"""What moto lacks beside that."""


def _found(name: str, table: dict[str, str]) -> str | None:
    return next((why for pattern, why in table.items() if fnmatchcase(name, pattern)), None)


def difference_for(name: str) -> str | None:
    return _found(name, DIFFERENCES)


def reason_for(name: str) -> str | None:
    return difference_for(name) or _found(name, GAPS)
