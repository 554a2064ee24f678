-- One row a proven offence of the months before the index date, as many as the follow-up has, or of the follow-up.
-- Both sides are counted alike: proof until the wait after their own window ends. Those before hold the index offences.
-- history: no offence of the index sanction, and proven before the index date: nothing after that date can touch it.
CREATE OR REPLACE TABLE offences_around AS
SELECT w.index_event_id, o.offence_date >= w.follow_from AS is_after,
    o.offence_date < w.index_date AND o.proven_date < w.index_date AND o.sanction_date <> w.sanction_date AS history
FROM windows w JOIN proven_offences o
    ON o.person_number = w.person_number
    AND o.offence_date >= CAST(w.index_date - to_months(getvariable('follow_up_months')) AS DATE)
    AND o.offence_date < w.follow_end
    AND CASE WHEN o.offence_date < w.index_date THEN o.proven_date < w.index_date + to_months(getvariable('waiting_months'))
        ELSE o.offence_date >= w.follow_from AND o.proven_date < w.proof_end
            AND (o.offence_date > w.index_date OR o.proven_date > w.index_date) END
WHERE w.covered;
