-- Outcomes of METHODS 3 for the rows of `followed` (index_event_id, person_number, index_date, follow_from).
-- The offence date decides the window, the end left out; proof may come until the waiting period ends, the end left
-- out. Months are calendar months: 12 months from 29 February end on 28 February, left out.
-- `covered` only when the data reach the end of the wait; otherwise nothing is measured.
CREATE TABLE windows AS
SELECT *, follow_from + to_months(getvariable('follow_up_months')) AS follow_end,
    follow_from + to_months(getvariable('follow_up_months') + getvariable('waiting_months')) AS proof_end
FROM followed;

CREATE TABLE reoffences AS
SELECT w.index_event_id, count(*) AS n, min(o.offence_date - w.follow_from) AS days
FROM windows w JOIN proven_offences o
    ON o.person_number = w.person_number
    AND o.offence_date >= w.follow_from AND o.offence_date < w.follow_end AND o.proven_date < w.proof_end
    AND (o.offence_date > w.index_date OR o.proven_date > w.index_date)
GROUP BY w.index_event_id;

CREATE TABLE outcomes AS
WITH joined AS (
    SELECT w.index_event_id, getvariable('data_end') >= w.proof_end AS covered, r.n, r.days
    FROM windows w LEFT JOIN reoffences r USING (index_event_id)
)
SELECT
    index_event_id,
    covered,
    CASE WHEN covered THEN CAST(n IS NOT NULL AS TINYINT) END AS reoffending_rate,
    CASE WHEN covered THEN coalesce(n, 0) END AS reoffending_frequency,
    CASE WHEN covered THEN days END AS days_to_first_reoffence
FROM joined
ORDER BY index_event_id;
