-- The only thing about the time after the index date that selection may ask (METHODS 2, immortal time): the days to the
-- first recordable offence that is no breach, whenever proven, where that is within the longest window a plan may set.
-- An offence of the index date that was also proven that day belongs to the index sanction.
CREATE TABLE early_offences AS
SELECT e.index_event_id, min(o.offence_date - e.index_date) AS days_to_first_offence
FROM events e JOIN proven_offences o
    ON o.person_number = e.person_number
    AND o.offence_date >= e.index_date AND o.offence_date <= e.index_date + to_days(getvariable('longest_window_days'))
    AND (o.offence_date > e.index_date OR o.proven_date > e.index_date)
GROUP BY e.index_event_id
ORDER BY e.index_event_id;
