-- One row a proven reoffence with the weight that the lab gives its offence group ([weights.offence_group] in lab.toml).
CREATE OR REPLACE TABLE harm AS
SELECT r.index_event_id, h.weight FROM reoffences r JOIN offence_group_weights h ON h.code = r.offence_group;
