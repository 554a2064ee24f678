-- One row a spell of work inside the follow-up: jobs that touch or overlap are one. The last day of a job is worked. A
-- job without an end counts until its third year, as among the covariates.
CREATE OR REPLACE TABLE days_in_work AS
WITH held AS (
    SELECT w.index_event_id, greatest(j.start_date, w.follow_from) AS from_date,
        least(CAST(coalesce(j.end_date, j.start_date + INTERVAL 3 YEAR) AS DATE) + 1, w.follow_end) AS until_date
    FROM windows w JOIN jobs j ON j.register_key = w.register_key
    WHERE w.covered AND j.start_date IS NOT NULL
), marked AS (
    SELECT *, coalesce(from_date > max(until_date) OVER (
        PARTITION BY index_event_id ORDER BY from_date, until_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), true) AS begins
    FROM held WHERE until_date > from_date
), numbered AS (
    SELECT *, sum(begins::INTEGER) OVER (
        PARTITION BY index_event_id ORDER BY from_date, until_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS spell
    FROM marked
)
SELECT index_event_id, max(until_date) - min(from_date) AS days FROM numbered GROUP BY index_event_id, spell;
