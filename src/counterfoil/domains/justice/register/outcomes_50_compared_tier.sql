-- One row a person whose index offence has a known tier: whether a reoffence was of a more severe one.
CREATE OR REPLACE TABLE compared_tier AS
WITH index_tiers AS (
    SELECT index_event_id, CASE tier WHEN 'indictable' THEN 1 WHEN 'either_way' THEN 2 ELSE 3 END AS tier_rank
    FROM index_covariates WHERE tier IN ('indictable', 'either_way', 'summary')
)
SELECT t.index_event_id, coalesce(bool_or(r.tier_rank < t.tier_rank), false) AS more_severe
FROM index_tiers t JOIN windows w USING (index_event_id) LEFT JOIN reoffences r USING (index_event_id)
WHERE w.covered
GROUP BY t.index_event_id;
