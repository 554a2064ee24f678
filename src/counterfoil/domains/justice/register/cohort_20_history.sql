-- Offences of each person, each once. Two records of one person may both hold an offence: of those with one date and
-- group, the rows of the record that holds most are kept (of equals, the first record). Within one record every row counts.
CREATE TABLE offences AS
WITH held AS (
    SELECT
        p.person_number, p.pnc_records, o.record_id, o.offence_id, o.offence_date, o.proven_date, o.proof,
        o.offence_group, o.tier, o.recordable, o.breach,
        coalesce(d.disposal_date, o.proven_date) AS sanction_date, d.disposal
    FROM pnc_offences o
    JOIN person_records p ON p.source = 'pnc' AND p.record_id = o.record_id
    LEFT JOIN pnc_disposals d ON d.disposal_id = o.disposal_id
), counted AS (
    SELECT *, count(*) OVER (PARTITION BY person_number, record_id, offence_date, offence_group) AS rows_here
    FROM held WHERE pnc_records > 1
), once AS (
    SELECT * EXCLUDE (rows_here) FROM counted
    QUALIFY record_id = first_value(record_id) OVER (
        PARTITION BY person_number, offence_date, offence_group ORDER BY rows_here DESC, record_id
    )
)
SELECT * EXCLUDE (pnc_records, record_id, offence_id) FROM once
UNION ALL
SELECT * EXCLUDE (pnc_records, record_id, offence_id) FROM held WHERE pnc_records = 1;

-- The offences that can be a reoffence: recordable, proven, and no breach.
CREATE TABLE proven_offences AS
SELECT person_number, offence_date, proven_date, sanction_date, disposal, offence_group, tier
FROM offences
WHERE recordable AND NOT breach AND proof IN ('conviction', 'caution', 'reprimand', 'warning');

-- Sanctions: one a person and day, named after the heaviest disposal of the day (then the longest, then the first).
CREATE TABLE sanctions AS
SELECT
    p.person_number, d.disposal_date AS sanction_date, d.disposal, d.sentence_days, d.offence_group, d.tier, d.region,
    d.disposal = 'caution' AS is_caution
FROM pnc_disposals d
JOIN person_records p ON p.source = 'pnc' AND p.record_id = d.record_id
QUALIFY row_number() OVER (
    PARTITION BY p.person_number, d.disposal_date
    ORDER BY
        CASE d.disposal WHEN 'custody' THEN 1 WHEN 'suspended' THEN 2 WHEN 'community' THEN 3 WHEN 'fine' THEN 4
            WHEN 'conditional_discharge' THEN 5 WHEN 'other' THEN 6 ELSE 7 END,
        d.sentence_days DESC NULLS LAST, d.disposal_id
) = 1;

-- Stays in custody: journeys that touch or overlap are one stay, whichever record holds them. A journey without an end that
-- is followed by another one has an unknown end and is left out; otherwise the person is still inside.
CREATE TABLE journeys AS
WITH held AS (
    SELECT p.person_number, s.row_id_hash, s.custody_start_date, s.custody_end_date, s.legal_status, s.release_type,
        s.sentence_length_days, s.main_offence_group, s.tier, s.region,
        coalesce(s.custody_end_date, DATE '9999-12-31') AS until_date,
        max(s.custody_start_date) OVER (PARTITION BY p.person_number) AS last_start
    FROM prison_nomis s
    JOIN person_records p ON p.source = 'prison' AND p.record_id = s.record_id
), usable AS (
    SELECT * FROM held
    WHERE until_date >= custody_start_date AND (custody_end_date IS NOT NULL OR custody_start_date = last_start)
), marked AS (
    SELECT *, coalesce(custody_start_date > max(until_date) OVER (
        PARTITION BY person_number ORDER BY custody_start_date, until_date, row_id_hash
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), true) AS begins_stay
    FROM usable
)
SELECT * EXCLUDE (last_start, begins_stay), sum(begins_stay::INTEGER) OVER (
    PARTITION BY person_number ORDER BY custody_start_date, until_date, row_id_hash
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
) AS stay_number
FROM marked;

CREATE TABLE stays AS
SELECT person_number, stay_number, min(custody_start_date) AS stay_start, max(until_date) AS stay_end
FROM journeys GROUP BY person_number, stay_number;
