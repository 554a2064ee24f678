-- release: the end of a stay whose last journey was served under sentence and did not end in death, deportation or bail.
CREATE TABLE releases AS
WITH last_journeys AS (
    SELECT s.*, t.stay_start,
        bool_or(coalesce(s.release_type IN ('died', 'deported', 'bailed'), false))
            OVER (PARTITION BY s.person_number, s.stay_number) AS left_otherwise
    FROM journeys s JOIN stays t USING (person_number, stay_number)
    WHERE s.until_date = t.stay_end AND s.custody_end_date IS NOT NULL
)
SELECT person_number, custody_end_date AS index_date, stay_start AS spell_start,
    sentence_length_days AS sentence_days, release_type, main_offence_group AS offence_group, tier, region
FROM last_journeys
WHERE legal_status = 'sentenced' AND NOT left_otherwise
QUALIFY row_number() OVER (PARTITION BY person_number, stay_number ORDER BY custody_start_date, row_id_hash) = 1;

-- The sentence that a release ends: the last sanction of custody inside the stay, or up to a week before it (a sentence
-- may be entered days before the reception). Without one, the sanction is dated by the reception.
CREATE TABLE release_sentences AS
SELECT r.person_number, r.index_date, max(s.sanction_date) AS sanction_date
FROM releases r JOIN sanctions s
    ON s.person_number = r.person_number AND s.disposal = 'custody'
    AND s.sanction_date < r.index_date AND s.sanction_date >= r.spell_start - INTERVAL 7 DAY
GROUP BY r.person_number, r.index_date;

CREATE TABLE events AS
WITH all_events AS (
    SELECT r.person_number, 'release' AS kind, r.index_date, r.spell_start,
        coalesce(l.sanction_date, r.spell_start) AS sanction_date, 'custody' AS disposal,
        coalesce(r.sentence_days, s.sentence_days) AS sentence_days, r.release_type,
        coalesce(r.offence_group, s.offence_group) AS offence_group, coalesce(r.tier, s.tier) AS tier,
        coalesce(r.region, s.region) AS region
    FROM releases r
    LEFT JOIN release_sentences l USING (person_number, index_date)
    LEFT JOIN sanctions s ON s.person_number = r.person_number AND s.sanction_date = l.sanction_date
    UNION ALL
    SELECT person_number,
        CASE disposal WHEN 'community' THEN 'community' WHEN 'suspended' THEN 'community'
            WHEN 'caution' THEN 'caution' ELSE 'other_conviction' END,
        sanction_date, NULL, sanction_date, disposal, NULL, NULL, offence_group, tier, region
    FROM sanctions WHERE disposal <> 'custody'
), supervised AS (
    SELECT p.person_number, e.disposal_date, arg_min(e.region, e.event_id_hash) AS region
    FROM probation_flatfile e
    JOIN person_records p ON p.source = 'probation' AND p.record_id = e.record_id
    WHERE e.region IS NOT NULL
    GROUP BY p.person_number, e.disposal_date
)
SELECT
    row_number() OVER (ORDER BY a.person_number, a.index_date, a.kind) AS index_event_id,
    a.* REPLACE (coalesce(a.region, v.region, 'unknown') AS region)
FROM all_events a
LEFT JOIN supervised v ON v.person_number = a.person_number AND v.disposal_date = a.sanction_date;

CREATE TABLE index_events AS
SELECT e.index_event_id, p.register_key, e.person_number, e.kind, e.index_date, e.spell_start, e.sanction_date, e.region
FROM events e JOIN people p USING (person_number)
ORDER BY e.index_event_id;

-- Every stay, and the release that ends it where that is an index event: a start inside a stay belongs to no other one.
CREATE TABLE custody AS
SELECT t.person_number, t.stay_start, nullif(t.stay_end, DATE '9999-12-31') AS stay_end, e.index_event_id, p.register_key
FROM stays t
JOIN people p USING (person_number)
LEFT JOIN events e ON e.person_number = t.person_number AND e.kind = 'release' AND e.index_date = t.stay_end
ORDER BY t.person_number, t.stay_start;
