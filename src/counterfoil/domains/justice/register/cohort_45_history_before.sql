-- What was known a year before the index date, for the negative control: it says nothing of that year, in which the
-- control looks for offences. A sanction or proof of the year itself is not in it, so nothing here has to be left out.
CREATE TABLE history_before AS
WITH day AS (
    SELECT index_event_id, person_number, CAST(index_date - INTERVAL 12 MONTH AS DATE) AS day_before FROM events),
offended AS (
    SELECT d.index_event_id, count(*) AS n
    FROM day d JOIN offences o
        ON o.person_number = d.person_number AND o.offence_date < d.day_before AND o.proven_date < d.day_before
    GROUP BY d.index_event_id),
sanctioned AS (
    SELECT d.index_event_id, count(*) AS n, count(*) FILTER (s.disposal = 'custody') AS n_custody,
        min(s.sanction_date) AS first_date, max(s.sanction_date) AS last_date
    FROM day d JOIN sanctions s ON s.person_number = d.person_number AND s.sanction_date < d.day_before
    GROUP BY d.index_event_id)
SELECT
    d.index_event_id,
    coalesce(o.n, 0) AS offences_a_year_before,
    coalesce(s.n, 0) AS sanctions_a_year_before,
    coalesce(s.n_custody, 0) AS custody_a_year_before,
    s.n IS NULL AS no_sanction_a_year_before,
    round(coalesce((d.day_before - s.last_date) / 365.25, 0), 2) AS years_since_sanction_a_year_before,
    -- Copas rate as it stood then: sanctions, and years since the first of them
    ln((coalesce(s.n, 0) + 1) / (coalesce((d.day_before - s.first_date) / 365.25, 0) + 10)) AS copas_rate_a_year_before
FROM day d
LEFT JOIN offended o USING (index_event_id)
LEFT JOIN sanctioned s USING (index_event_id)
ORDER BY d.index_event_id;
