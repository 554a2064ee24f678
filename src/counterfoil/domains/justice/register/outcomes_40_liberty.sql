-- One row a person: days of the follow-up outside custody, alive and in the country. The day of release is at liberty,
-- the day of reception is not; stays never overlap. After a stay that ended in death or deportation no day counts. Of a
-- death outside custody the records know nothing.
CREATE OR REPLACE TABLE liberty AS
WITH away AS (
    SELECT person_number, stay_start AS from_date,
        CASE WHEN left_for_good THEN DATE '9999-12-31' ELSE coalesce(stay_end, DATE '9999-12-31') END AS until_date
    FROM custody_stays
), inside AS (
    SELECT w.index_event_id, sum(least(a.until_date, w.follow_end) - greatest(a.from_date, w.follow_from)) AS days
    FROM windows w JOIN away a
        ON a.person_number = w.person_number AND a.from_date < w.follow_end AND a.until_date > w.follow_from
    WHERE w.covered
    GROUP BY w.index_event_id
)
SELECT w.index_event_id, (w.follow_end - w.follow_from) - coalesce(i.days, 0) AS days
FROM windows w LEFT JOIN inside i USING (index_event_id)
WHERE w.covered;
