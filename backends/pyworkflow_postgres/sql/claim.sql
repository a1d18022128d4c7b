-- Takes tasks that are due, highest priority first, then the earliest, and holds them until `held`: each is returned
-- with the stamp of its process, and the first of a process's, at each priority, with the head.
--
-- A task is taken together with the lock on its process's run, and the run's comes first. What another transaction is
-- about to change is passed over: nobody waits here.
CREATE FUNCTION {schema}.claim_2(asked text[], at float8, held float8, most int4)
RETURNS TABLE (process text, key text, queue text, due float8, priority int4, body bytea, stamp text, head bytea)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    stage record;
    remaining int := most;
    found int;
BEGIN
    FOR stage IN
        WITH RECURSIVE level (queue, priority) AS (
            SELECT queue, (SELECT max(priority) FROM {schema}.task WHERE task.queue = every.queue)
            FROM unnest(asked) AS every (queue)
            UNION
            SELECT queue, (
                SELECT max(priority) FROM {schema}.task
                WHERE task.queue = level.queue AND task.priority < level.priority
            ) FROM level WHERE priority IS NOT NULL
        )
        SELECT priority, array_agg(queue) AS queues FROM level WHERE at >= (
            SELECT min(due) FROM {schema}.task WHERE task.queue = level.queue AND task.priority = level.priority
        ) GROUP BY priority ORDER BY priority DESC
    LOOP
        RETURN QUERY
        WITH ready AS MATERIALIZED (
            SELECT one.* FROM unnest(stage.queues) AS every (queue) CROSS JOIN LATERAL (
                SELECT task.*, owner.stamp, owner.head
                FROM {schema}.task LEFT JOIN LATERAL (
                    SELECT stamp, head FROM {schema}.run
                    WHERE run.id = task.process AND run.current FOR UPDATE SKIP LOCKED
                ) AS owner ON true
                WHERE task.queue = every.queue AND task.priority = stage.priority AND task.due <= at AND (
                    owner.stamp IS NOT NULL
                    OR (SELECT count(*) FROM {schema}.run WHERE run.id = task.process AND run.current) = 0
                )
                ORDER BY task.due, task.number LIMIT remaining FOR UPDATE OF task SKIP LOCKED
            ) AS one
            ORDER BY one.due, one.number LIMIT remaining
        ),
        taken AS (
            UPDATE {schema}.task SET due = held FROM ready
            WHERE task.process = ready.process AND task.key = ready.key
        )
        SELECT ready.process, ready.key, ready.queue, held, ready.priority, ready.body, ready.stamp,
            CASE WHEN row_number() OVER (PARTITION BY ready.process ORDER BY ready.due, ready.number) = 1
                THEN ready.head END
        FROM ready ORDER BY ready.due, ready.number;
        GET DIAGNOSTICS found = ROW_COUNT;
        remaining := remaining - found;
        EXIT WHEN remaining <= 0;
    END LOOP;
END
$$
