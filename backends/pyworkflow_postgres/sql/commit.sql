-- Commits: each is applied whole or refused by itself. The processes of those that were applied are returned, and
-- who waits for their topics is told when the transaction counts.
--
-- The first arrays are the columns of a table of runs: `hows` says whether one is changed, put behind its process
-- (archive), begun, or begun in the place of one that was put behind (follow). `seqs` and `records` are its row of
-- events, if it has got any. Where `names` is null all are changed.
--
-- Runs are locked in the order of their ids, and tasks only by who holds the lock of their run: so no two that do this
-- wait for each other.
CREATE FUNCTION {schema}.commit_2(
    ids text[], hows text[], bases text[], stamps text[], heads bytea[], statuses text[], ends float8[], seqs int4[],
    records bytea[], names text[], workflows text[], versions text[], starts float8[], parents text[], tag_lists text[],
    removed text[], removed_keys text[],
    added text[], added_keys text[], queues text[], dues float8[], priorities int4[], bodies bytea[],
    told text[], topics text[], channel text
) RETURNS text[] LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
    done text[];
    behind text[];
    begun text[];
    complete boolean;
BEGIN
    IF cardinality(ids) > 1 THEN
        PERFORM FROM {schema}.run WHERE current AND id = ANY(ids) ORDER BY id FOR UPDATE;
    END IF;

    WITH put AS (
        UPDATE {schema}.run SET stamp = new.stamp, head = new.head,
            status = coalesce(new.status, run.status), closed = coalesce(new.closed, run.closed)
        FROM unnest(ids, hows, bases, stamps, heads, statuses, ends, seqs, records)
            AS new (id, how, base, stamp, head, status, closed, seq, body)
        WHERE new.how = 'change' AND run.id = new.id AND run.current AND run.stamp = new.base
        RETURNING run.key, run.id, new.seq, new.body
    ),
    recorded AS (INSERT INTO {schema}.event SELECT key, seq, body FROM put WHERE seq IS NOT NULL)
    SELECT coalesce(array_agg(id), '{}') FROM put INTO done;

    IF names IS NOT NULL THEN
        WITH put AS (
            UPDATE {schema}.run SET current = false, head = old.head, status = old.status, closed = old.closed
            FROM unnest(ids, hows, bases, heads, statuses, ends, seqs, records)
                AS old (id, how, base, head, status, closed, seq, body)
            WHERE old.how = 'archive' AND run.id = old.id AND run.current AND run.stamp = old.base
            RETURNING run.key, run.id, old.seq, old.body
        ),
        recorded AS (INSERT INTO {schema}.event SELECT key, seq, body FROM put WHERE seq IS NOT NULL)
        SELECT array_agg(id) FROM put INTO behind;

        WITH new AS MATERIALIZED (
            SELECT * FROM unnest(
                ids, hows, stamps, heads, statuses, ends, seqs, records,
                names, workflows, versions, starts, parents, tag_lists
            ) AS new (id, how, stamp, head, status, closed, seq, body, run, workflow, version, started, parent, tags)
            WHERE how = 'begin' OR how = 'follow' AND id = ANY(behind)
        ),
        put AS (
            INSERT INTO {schema}.run
                (current, id, run, stamp, head, workflow, version, status, started, closed, parent, tags)
            SELECT true, id, run, stamp, head, workflow, version, status, started, closed, parent, tags
            FROM new ORDER BY id ON CONFLICT DO NOTHING RETURNING run.key, run.id
        ),
        known AS MATERIALIZED (SELECT put.key, new.* FROM put JOIN new USING (id)),
        recorded AS (INSERT INTO {schema}.event SELECT key, seq, body FROM known WHERE seq IS NOT NULL),
        tagged AS (
            INSERT INTO {schema}.tag SELECT tag, key FROM known, json_array_elements_text(known.tags::json) AS tag
            ON CONFLICT DO NOTHING
        )
        SELECT array_agg(id) FROM known INTO begun;
        done := done || begun;
    END IF;

    complete := cardinality(done) = cardinality(ids);
    IF removed IS NOT NULL THEN
        DELETE FROM {schema}.task USING unnest(removed, removed_keys) AS old (process, key)
        WHERE task.process = old.process AND task.key = old.key AND (complete OR old.process = ANY(done));
    END IF;
    IF added IS NOT NULL THEN
        INSERT INTO {schema}.task (process, key, queue, due, priority, body)
        SELECT * FROM unnest(added, added_keys, queues, dues, priorities, bodies)
            AS new (process, key, queue, due, priority, body)
        WHERE complete OR new.process = ANY(done)
        ON CONFLICT (process, key) DO UPDATE SET queue = excluded.queue, due = excluded.due,
            priority = excluded.priority, body = excluded.body;
    END IF;
    IF topics IS NOT NULL THEN
        PERFORM pg_notify(channel, topic) FROM unnest(told, topics) AS news (process, topic)
        WHERE complete OR news.process = ANY(done);
    END IF;
    RETURN done;
END
$$
