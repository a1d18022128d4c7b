"""What the suite asks for and Amazon SWF does not do, and what moto lacks: test by test, with reasons."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

WHOLE_SECONDS = "SWF counts whole seconds: ours are rounded up"
NO_TOKEN = "SWF tells the token of a task to its holder alone"
NO_DETAILS = "SWF does not repeat what was refused, nor why a child was terminated"
HANDED_BACK = "SWF takes no activity back: the next decision schedules it again, under another token"
RETENTION = "SWF forgets closed executions by itself"
NUMBERS = "SWF numbers its own events, of which a decider is not shown all"
HEARTBEATS = "SWF tells what a heartbeat said only when it timed out"
BLOCKED = "SWF refuses after the answer: the process is blocked when its next decision is taken"
RESET = "SWF writes histories itself: none can be begun in the middle"
POLICIES = "on SWF an execution has one policy for all of its children, and nobody of ours is there when it times out"
TOLD = "SWF tells nobody what it writes: it is told when the next decision is taken"
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
    "test_a_policy_says_what_becomes_of_a_child[[]TERMINATE-time out]": POLICIES,
    "test_a_policy_says_what_becomes_of_a_child[[]REQUEST_CANCEL-time out]": POLICIES,
    "test_what_calls_write_is_told_in_order": NUMBERS,
    "test_it_is_told_before_the_call_returns": TOLD,
    "test_the_process_is_told_with_it": TOLD,
    "test_what_falls_due_is_told_by_whoever_comes_by": TOLD,
    "test_a_parent_and_its_child_are_told": TOLD,
    "test_both_runs_are_told_when_one_continues": TOLD,
    "test_a_refused_call_tells_what_fell_due_and_no_more": TOLD,
    "test_who_took_a_task_is_told": TOLD,
    "test_several_may_watch_and_use_the_backend": TOLD,
    "test_threads_tell_each_event_once": TOLD,
    "test_a_token_that_names_other_events_is_no_task": OWN_CHECK,
    "test_a_task_says_what_there_is_to_do": "SWF does not tell a worker the heartbeat timeout: the type's is taken",
    "test_a_type_without_a_timeout_has_none": "SWF closes a run after a year",
    "test_queues_are_counted": "SWF has no list of task lists: those of registered types are counted",
    "test_a_decider_whose_answers_are_refused_is_slowed_down_and_blocked": BLOCKED,
    "test_a_request_repeated_in_the_next_run_signals_once": "SWF's runs know nothing of each other's signals",
}
"""What no client of SWF can do, whatever stands behind it. docs/amazonswf.md tells users."""

CHILDREN = "moto does not know StartChildWorkflowExecution"
CONTINUING = "moto does not know ContinueAsNewWorkflowExecution"
LETTERS = "moto does not know SignalExternal- and RequestCancelExternalWorkflowExecution"
CANCELING = "moto does not know RequestCancelActivityTask and RespondActivityTaskCanceled"
REQUESTS = "moto does not know RequestCancelWorkflowExecution"
TIMEOUTS = "moto has only timeouts of heartbeats, decisions and executions"
PRIORITIES = "moto ignores priorities"
TAGS = "moto's WorkflowExecutionStarted has no tags"
LIMITS = "moto has no limits"
CLOSES = "moto closes with unseen events"
REFUSALS = "moto's CancelTimerFailed does not say which timer"
LEFT = "moto keeps tasks of closed executions in its queues"
STALE = "moto answers 500 where a task has failed or timed out, or is to be canceled"

GAPS = {
    "test_a_child_*": CHILDREN,
    "test_what_a_run_was_started_with_is_described": CHILDREN,
    "test_a_childs_end_*": CHILDREN,
    "test_a_parent_hears_*": CHILDREN,
    "test_an_id_in_use_refuses_the_child": CHILDREN,
    "test_many_children_are_told_apart": CHILDREN,
    "test_a_grandchild_is_its_parents_business": CHILDREN,
    "test_nobody_waits_for_a_child_whose_parent_is_gone": CHILDREN,
    "test_a_policy_says_*": CHILDREN,
    "test_a_termination_can_say_another_policy*": CHILDREN,
    "test_a_terminated_familys_*": CHILDREN,
    "test_children_are_found_by_their_parent": CHILDREN,
    "test_lists_*": CONTINUING,
    "test_an_old_run_can_be_described": CONTINUING,
    "test_a_wait_follows_a_process_over_its_runs": CONTINUING,
    "test_a_process_continues_with_an_empty_history": CONTINUING,
    "test_a_run_inherits_*": CONTINUING,
    "test_a_run_gets_*": CONTINUING,
    "test_what_was_pending_stays_behind": CONTINUING,
    "test_no_signal_finds_a_continuing_process_closed": CONTINUING,
    "test_a_repeated_request_to_start_finds_*": CONTINUING,
    "test_every_run_can_be_listed": CONTINUING,
    "test_a_closing_decision_must_be_the_last[[]continue_as_new]": CONTINUING,
    "test_a_signal_reaches_another_process": LETTERS,
    "test_a_cancel_request_reaches_another_process": LETTERS,
    "test_a_letter_*": LETTERS,
    "test_a_process_can_signal_itself": LETTERS,
    "test_a_signal_sent_to_another_process_*": LETTERS,
    "test_an_activity_that_nobody_has_is_canceled_at_once": CANCELING,
    "test_a_schedule_can_be_canceled_in_the_same_answer": CANCELING,
    "test_an_activity_in_hand_hears_of_it_*": CANCELING,
    "test_an_activity_may_complete_although_*": CANCELING,
    "test_a_decision_that_cannot_be_applied_*ACTIVITY_ID_UNKNOWN]": CANCELING,
    "test_what_is_no_news_wakes_nobody": CANCELING,
    "test_canceling_an_activity_*": CANCELING,
    "test_news_wake_the_decider[[]canceled]": CANCELING,
    "test_a_cancel_request_*": REQUESTS,
    "test_a_decider_may_*": REQUESTS,
    "test_asking_twice_is_asking_once": REQUESTS,
    "test_the_next_run_was_not_asked": REQUESTS,
    "test_a_closed_process_accepts_nothing*": REQUESTS,
    "test_a_closed_run_is_not_mistaken_*": REQUESTS,
    "test_an_unknown_process_is_unknown_to_every_verb[[]cancel_process]": REQUESTS,
    "test_news_wake_the_decider[[]cancel request]": REQUESTS,
    "test_a_blocked_process_goes_on_living_undecided": REQUESTS,
    "test_an_activity_times_out_exactly*SCHEDULE*": TIMEOUTS,
    "test_an_activity_times_out_exactly*START*": TIMEOUTS,
    "test_a_deadline_counts_*": TIMEOUTS,
    "test_an_activity_that_waited_too_long_*": TIMEOUTS,
    "test_the_time_altogether_*": TIMEOUTS,
    "test_a_time_out_carries_the_last_heartbeat[[]S*": TIMEOUTS,
    "test_the_earliest_of_several_deadlines_counts": TIMEOUTS,
    "test_each_of_several_activities_*": TIMEOUTS,
    "test_an_expired_activity_*": TIMEOUTS,
    "test_higher_priorities_*": PRIORITIES,
    "test_priorities_count_*": PRIORITIES,
    "test_a_process_of_higher_priority_*": PRIORITIES,
    "test_what_is_listed_can_be_read": TAGS,
    "test_a_started_process_is_there": TAGS,
    "test_a_process_waits_for_a_decision": TAGS,
    "test_too_many_*": LIMITS,
    "test_a_signal_that_arrives_while_*": CLOSES,
    "test_a_late_signal_*": CLOSES,
    "test_a_close_beside_a_refused_decision_*": CLOSES,
    "test_a_decision_that_cannot_be_applied_*TIMER_ID_UNKNOWN]": REFUSALS,
    "test_nothing_of_a_closed_process_*": LEFT,
    "test_activities_are_dropped_*": LEFT,
    "test_an_activity_ends_with_its_result*": STALE,
    "test_a_token_is_good_for_one_hand_out*": STALE,
    "test_a_decision_times_out_exactly*": STALE,
    "test_a_decision_too_late_*": STALE,
    "test_one_that_takes_longer_*": STALE,
}
"""What moto lacks beside that; the endpoint has it."""


def _found(name: str, table: dict[str, str]) -> str | None:
    return next((why for pattern, why in table.items() if fnmatchcase(name, pattern)), None)


def difference_for(test: pytest.FixtureRequest) -> str | None:
    """Why a test of the suite cannot be passed on SWF."""
    return RESET if test.function.__module__.endswith("backend_resetting") else _found(test.node.name, DIFFERENCES)


def reason_for(test: pytest.FixtureRequest) -> str | None:
    """Why it cannot be passed over moto."""
    return difference_for(test) or _found(test.node.name, GAPS)
