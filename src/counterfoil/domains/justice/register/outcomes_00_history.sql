-- What outcomes are measured from, kept beside the register (`history` in measures.toml). Proven offences are made with
-- the history. Stays as they are, with those that ended in death or deportation where no later stay says otherwise.
CREATE TABLE custody_stays AS
WITH gone AS (
    SELECT DISTINCT person_number, stay_number FROM journeys
    WHERE release_type IN ('died', 'deported') AND custody_end_date IS NOT NULL
)
SELECT t.person_number, t.stay_start, nullif(t.stay_end, DATE '9999-12-31') AS stay_end,
    g.stay_number IS NOT NULL AND t.stay_start = max(t.stay_start) OVER (PARTITION BY t.person_number) AS left_for_good
FROM stays t LEFT JOIN gone g USING (person_number, stay_number)
ORDER BY t.person_number, t.stay_start;
