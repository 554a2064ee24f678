-- One row a claim of an out-of-work benefit that is open on the day on which the follow-up ends. Universal Credit is
-- among them: the share does not say who of its claimants works. A claim without an end counts until its third year.
CREATE OR REPLACE TABLE claims_at_end AS
SELECT w.index_event_id
FROM windows w JOIN claims c
    ON c.register_key = w.register_key AND c.benefit IN ('jsa', 'esa', 'ib', 'is', 'uc')
    AND c.start_date <= w.follow_end
    AND coalesce(c.end_date, c.start_date + INTERVAL 3 YEAR) >= w.follow_end
WHERE w.covered;
