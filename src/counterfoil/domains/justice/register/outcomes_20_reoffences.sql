-- One row a proven reoffence. The offence date decides the window; proof may come until the waiting period ends. An
-- offence of the index date that was also proven that day belongs to the index sanction.
-- tier_rank: 1 is the most severe.
CREATE OR REPLACE TABLE reoffences AS
SELECT w.index_event_id, o.offence_date - w.follow_from AS days, o.offence_group, o.tier,
    CASE o.tier WHEN 'indictable' THEN 1 WHEN 'either_way' THEN 2 ELSE 3 END AS tier_rank,
    coalesce(o.disposal = 'custody', false) AS custodial
FROM windows w JOIN proven_offences o
    ON o.person_number = w.person_number
    AND o.offence_date >= w.follow_from AND o.offence_date < w.follow_end AND o.proven_date < w.proof_end
    AND (o.offence_date > w.index_date OR o.proven_date > w.index_date)
WHERE w.covered;
