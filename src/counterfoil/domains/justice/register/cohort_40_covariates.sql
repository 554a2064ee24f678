-- What was known strictly before the index date. The index sanction itself, and its offences, are no history: they are
-- described by disposal, sentence_band, offence_group and tier. Levels are chosen so that no factor repeats another:
-- sentence_band and release_type give people without custody the commonest level of those with it.
CREATE TABLE offence_history AS
SELECT
    e.index_event_id,
    count(*) FILTER (previous AND NOT breach) AS n_previous_offences,
    count(*) FILTER (previous AND breach) AS n_previous_breaches,
    count(*) FILTER (previous AND NOT breach AND tier = 'indictable') AS n_previous_indictable,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'violence') AS n_previous_violence,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'robbery') AS n_previous_robbery,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'sexual') AS n_previous_sexual,
    count(*) FILTER (previous AND NOT breach AND offence_group IN ('burglary_domestic', 'burglary_other')) AS n_previous_burglary,
    count(*) FILTER (previous AND NOT breach AND offence_group IN ('theft', 'handling', 'theft_from_vehicle')) AS n_previous_theft,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'fraud') AS n_previous_fraud,
    count(*) FILTER (previous AND NOT breach AND offence_group IN ('drugs_supply', 'drugs_possession')) AS n_previous_drugs,
    count(*) FILTER (previous AND NOT breach AND offence_group IN ('motoring', 'drink_driving', 'vehicle_taking')) AS n_previous_motoring,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'criminal_damage') AS n_previous_criminal_damage,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'public_order') AS n_previous_public_order,
    count(*) FILTER (previous AND NOT breach AND offence_group = 'breach') AS n_previous_bail_offences,
    min(offence_date) AS first_offence
FROM (
    SELECT e.index_event_id, o.*, o.sanction_date <> e.sanction_date AS previous
    FROM events e JOIN offences o
        ON o.person_number = e.person_number AND o.offence_date < e.index_date
        AND (o.proven_date < e.index_date OR o.sanction_date = e.sanction_date)
) e
GROUP BY e.index_event_id;

CREATE TABLE sanction_history AS
SELECT
    e.index_event_id,
    count(*) AS n_sanctions,
    count(*) FILTER (NOT s.is_caution) AS n_previous_convictions,
    count(*) FILTER (s.is_caution) AS n_previous_cautions,
    count(*) FILTER (s.disposal = 'custody') AS n_previous_custody,
    -- in custody before the 21st birthday, as the Ministry's own score counts it; an unknown birth counts none
    count(*) FILTER (s.disposal = 'custody' AND s.sanction_date < p.born + INTERVAL 21 YEAR) AS n_previous_youth_custody,
    count(*) FILTER (s.disposal IN ('community', 'suspended')) AS n_previous_community,
    count(*) FILTER (s.disposal IN ('fine', 'conditional_discharge')) AS n_previous_fines,
    count(*) FILTER (s.sanction_date >= e.index_date - INTERVAL 2 YEAR) AS n_sanctions_two_years,
    min(s.sanction_date) AS first_sanction_date,
    max(s.sanction_date) AS last_sanction_date
FROM events e JOIN sanctions s
    ON s.person_number = e.person_number AND s.sanction_date < e.index_date AND s.sanction_date <> e.sanction_date
JOIN people p ON p.person_number = e.person_number
GROUP BY e.index_event_id;

CREATE TABLE described AS
WITH dated AS (
    SELECT
        e.*, p.sex, p.ethnicity, p.nationality, o.* EXCLUDE (index_event_id, first_offence), s.* EXCLUDE (index_event_id),
        (e.index_date - p.born) / 365.25 AS age,
        (coalesce(o.first_offence, e.sanction_date) - p.born) / 365.25 AS age_first,
        -- years from the first sanction to the current one; 0 when this is the first
        coalesce(greatest(0, e.sanction_date - s.first_sanction_date), 0) / 365.25 AS career_years
    FROM events e
    JOIN people p USING (person_number)
    LEFT JOIN offence_history o USING (index_event_id)
    LEFT JOIN sanction_history s USING (index_event_id)
)
-- Nobody under 10 can be convicted, so a birth month that says so is a mistake, and unknown. So is an age over 100.
SELECT * REPLACE (
    CASE WHEN age_first >= 10 AND age <= 100 THEN age END AS age,
    CASE WHEN age_first >= 10 AND age <= 100 THEN age_first END AS age_first
)
FROM dated;

-- A missing or impossible birth month is a level of age_band; the two ages are then 30 and 18, about the usual ones. They
-- are fixed: an average of those known would move with people who come later.
CREATE TABLE covariates AS
SELECT
    index_event_id,
    sex,
    round(coalesce(age, 30), 2) AS age_at_index,
    CASE WHEN age IS NULL THEN 'unknown' WHEN age < 18 THEN 'under 18' WHEN age < 21 THEN '18-20' WHEN age < 25 THEN '21-24'
        WHEN age < 30 THEN '25-29' WHEN age < 35 THEN '30-34' WHEN age < 40 THEN '35-39' WHEN age < 50 THEN '40-49'
        ELSE '50 and over' END AS age_band,
    round(coalesce(age_first, 18), 2) AS age_at_first_offence,
    ethnicity,
    nationality,
    region,
    CAST(year(index_date) AS VARCHAR) AS index_year,
    'Q' || quarter(index_date) AS index_quarter,
    disposal,
    CASE WHEN kind <> 'release' OR sentence_days IS NULL OR sentence_days < 183 THEN 'under 6 months or none'
        WHEN sentence_days < 366 THEN '6 to 12 months' WHEN sentence_days < 731 THEN '1 to 2 years'
        WHEN sentence_days < 1461 THEN '2 to 4 years' ELSE '4 years and over' END AS sentence_band,
    CASE WHEN kind <> 'release' OR release_type IS NULL THEN 'automatic' ELSE release_type END AS release_type,
    coalesce(offence_group, 'unknown') AS offence_group,
    coalesce(tier, 'unknown') AS tier,
    coalesce(n_previous_offences, 0) AS n_previous_offences,
    coalesce(n_previous_convictions, 0) AS n_previous_convictions,
    coalesce(n_previous_cautions, 0) AS n_previous_cautions,
    coalesce(n_previous_custody, 0) AS n_previous_custody,
    coalesce(n_previous_youth_custody, 0) AS n_previous_youth_custody,
    coalesce(n_previous_community, 0) AS n_previous_community,
    coalesce(n_previous_fines, 0) AS n_previous_fines,
    coalesce(n_previous_breaches, 0) AS n_previous_breaches,
    coalesce(n_previous_indictable, 0) AS n_previous_indictable,
    coalesce(n_previous_violence, 0) AS n_previous_violence,
    coalesce(n_previous_robbery, 0) AS n_previous_robbery,
    coalesce(n_previous_sexual, 0) AS n_previous_sexual,
    coalesce(n_previous_burglary, 0) AS n_previous_burglary,
    coalesce(n_previous_theft, 0) AS n_previous_theft,
    coalesce(n_previous_fraud, 0) AS n_previous_fraud,
    coalesce(n_previous_drugs, 0) AS n_previous_drugs,
    coalesce(n_previous_motoring, 0) AS n_previous_motoring,
    coalesce(n_previous_criminal_damage, 0) AS n_previous_criminal_damage,
    coalesce(n_previous_public_order, 0) AS n_previous_public_order,
    coalesce(n_previous_bail_offences, 0) AS n_previous_bail_offences,
    coalesce(n_sanctions_two_years, 0) AS n_sanctions_two_years,
    n_sanctions IS NULL AS first_sanction,
    round(coalesce((index_date - last_sanction_date) / 365.25, 0), 2) AS years_since_last_sanction,
    round(career_years, 2) AS career_years,
    -- Copas rate (EVALUATION A8): previous sanctions, and years from the first to the current one
    ln((coalesce(n_sanctions, 0) + 1) / (career_years + 10)) AS copas_rate,
    ln((coalesce(n_sanctions, 0) + 1) / (career_years + 10)) ** 2 AS copas_rate_squared
FROM described
ORDER BY index_event_id;
