-- What the employment share says of each index event, strictly before its date (EVALUATION A8). Tables: asked (index_event_id,
-- register_key, index_date), and the share's own with register_key. A job or claim without an end counts until its third year.
WITH spans AS (
    SELECT register_key, 'job' AS kind, NULL AS benefit, start_date,
        coalesce(end_date, start_date + INTERVAL 3 YEAR)::DATE AS end_date FROM jobs WHERE start_date IS NOT NULL
    UNION ALL
    SELECT register_key, 'claim', benefit, start_date, coalesce(end_date, start_date + INTERVAL 3 YEAR)::DATE FROM claims
), year_before AS (
    SELECT a.index_event_id, a.index_date, s.kind, s.benefit, s.start_date,
        least(s.end_date, a.index_date - 1) AS end_date,
        greatest(s.start_date, (a.index_date - INTERVAL 1 YEAR)::DATE) AS from_date
    FROM asked a JOIN spans s ON s.register_key = a.register_key AND s.start_date < a.index_date
), measured AS (
    SELECT index_event_id,
        bool_or(kind = 'job' AND end_date >= index_date - 1) AS employment_at_index,
        bool_or(kind = 'job' AND end_date >= (index_date - INTERVAL 1 MONTH)::DATE) AS employment_month_before,
        bool_or(kind = 'job' AND end_date >= (index_date - INTERVAL 1 YEAR)::DATE) AS employment_year_before,
        least(sum(CASE WHEN kind = 'job' AND end_date >= from_date THEN (end_date - from_date + 1) / 7.0 ELSE 0 END), 52.2)
            AS employment_weeks,
        bool_or(kind = 'claim' AND end_date >= index_date - 1) AS employment_benefit_at_index,
        bool_or(kind = 'claim' AND end_date >= (index_date - INTERVAL 1 YEAR)::DATE) AS employment_benefit_year,
        bool_or(benefit = 'jsa' AND end_date >= (index_date - INTERVAL 1 YEAR)::DATE) AS employment_jsa_year,
        bool_or(benefit IN ('esa', 'ib') AND end_date >= (index_date - INTERVAL 1 YEAR)::DATE) AS employment_incapacity_year,
        bool_or(benefit = 'is' AND end_date >= (index_date - INTERVAL 1 YEAR)::DATE) AS employment_income_support_year
    FROM year_before GROUP BY index_event_id
), linked AS (
    SELECT DISTINCT index_event_id FROM asked JOIN facts USING (register_key)
)
SELECT a.index_event_id, l.index_event_id IS NOT NULL AS employment_known,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_at_index, false) END AS employment_at_index,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_month_before, false) END AS employment_month_before,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_year_before, false) END AS employment_year_before,
    CASE WHEN l.index_event_id IS NOT NULL THEN round(coalesce(employment_weeks, 0), 1) END AS employment_weeks,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_benefit_at_index, false) END AS employment_benefit_at_index,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_benefit_year, false) END AS employment_benefit_year,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_jsa_year, false) END AS employment_jsa_year,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_incapacity_year, false) END AS employment_incapacity_year,
    CASE WHEN l.index_event_id IS NOT NULL THEN coalesce(employment_income_support_year, false) END
        AS employment_income_support_year
FROM asked a LEFT JOIN measured USING (index_event_id) LEFT JOIN linked l USING (index_event_id)
ORDER BY a.index_event_id
