-- The follow-up of each row of `followed` (index_event_id, register_key, person_number, index_date, sanction_date,
-- follow_from), METHODS 3. The end of a window is left out. Months are calendar months: 12 months from 29 February end
-- on 28 February, left out. `covered` only when the data reach the end of the wait; otherwise nothing is measured.
CREATE OR REPLACE TABLE windows AS
SELECT *, getvariable('data_end') >= proof_end AS covered
FROM (
    SELECT index_event_id, person_number, index_date, sanction_date, follow_from,
        CAST(follow_from + to_months(getvariable('follow_up_months')) AS DATE) AS follow_end,
        CAST(follow_from + to_months(getvariable('follow_up_months') + getvariable('waiting_months')) AS DATE) AS proof_end
    FROM followed
);
