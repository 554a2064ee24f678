-- What the education share says of each index event, strictly before its date. Tables: asked (index_event_id, register_key,
-- index_date), and the share's own with register_key. A school year 2009/10 is over on 31 August 2010.
WITH known AS (
    SELECT a.index_event_id, p.*
    FROM asked a JOIN npd_pupil p USING (register_key)
    WHERE make_date(CAST(left(p.academic_year, 4) AS INTEGER) + 1, 8, 31) < a.index_date
), pupils AS (
    SELECT index_event_id,
        bool_or(fsm_eligible) AS education_ever_fsm,
        bool_or(sen_provision <> 'none') AS education_ever_sen,
        bool_or(persistent_absence) AS education_ever_persistent_absence,
        sum(fixed_exclusions_count) AS education_suspensions,
        bool_or(permanent_exclusion_flag) AS education_ever_excluded,
        bool_or(alternative_provision_flag) AS education_ever_alternative_provision,
        max(ks4_attainment8) AS education_ks4
    FROM known GROUP BY index_event_id
), care AS (
    SELECT a.index_event_id,
        bool_or(coalesce(c.cla_episode_start < a.index_date, false)) AS education_ever_in_care,
        bool_or(coalesce(c.cin_episode_start < a.index_date, false)) AS education_ever_in_need
    FROM asked a JOIN social_care c USING (register_key) GROUP BY a.index_event_id
)
SELECT a.index_event_id, p.index_event_id IS NOT NULL AS education_known, p.* EXCLUDE (index_event_id),
    CASE WHEN p.index_event_id IS NOT NULL THEN coalesce(c.education_ever_in_care, false) END AS education_ever_in_care,
    CASE WHEN p.index_event_id IS NOT NULL THEN coalesce(c.education_ever_in_need, false) END AS education_ever_in_need
FROM asked a LEFT JOIN pupils p USING (index_event_id) LEFT JOIN care c USING (index_event_id)
ORDER BY a.index_event_id
