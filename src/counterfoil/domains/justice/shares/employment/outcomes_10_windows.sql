-- The follow-up of each row of `followed` (index_event_id, register_key, follow_from). Covered: the person is linked to
-- the share, and the share reaches the end. It reaches as far as the last day on which anything in it began or ended.
CREATE OR REPLACE TABLE windows AS
WITH reach AS (
    SELECT max(day) AS last_day FROM (
        SELECT greatest(start_date, end_date) AS day FROM jobs UNION ALL SELECT greatest(start_date, end_date) FROM claims
    )
)
SELECT index_event_id, register_key, follow_from, follow_end,
    register_key IN (SELECT register_key FROM facts)
        AND coalesce(least(reach.last_day, getvariable('data_end')) >= follow_end, false) AS covered
FROM (
    SELECT *, CAST(follow_from + to_months(getvariable('follow_up_months') + getvariable('waiting_months')) AS DATE) AS follow_end
    FROM followed
), reach;
