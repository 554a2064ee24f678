-- Needs of the latest full assessment (OASys) that was completed strictly before the index date, and how old it was then.
-- Not every lab holds assessments and not everyone has one: this table lies beside the covariates and is no part of them.
-- A section's score is a number, its two unscored sections and the items are yes or no; what was not filled in is null.
CREATE TABLE assessments AS
SELECT p.person_number, a.* EXCLUDE (record_id)
FROM oasys_assessment a
JOIN register_keys k ON k.source = 'oasys' AND k.record_id = a.record_id
JOIN people p ON p.register_key = k.register_key
WHERE a.assessment_type = 'LAYER3' AND a.assessment_status = 'COMPLETE' AND a.acc_other_weighted_score IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY p.person_number, a.date_completed ORDER BY a.assessment_id_hash DESC) = 1;

CREATE TABLE needs AS
SELECT
    e.index_event_id,
    CAST(e.index_date - a.date_completed AS INTEGER) AS assessed_days_before,
    a.acc_other_weighted_score AS need_accommodation,
    a.ete_other_weighted_score AS need_employment,
    a.finance_linked_to_reoffending AS need_finance,
    a.rel_other_weighted_score AS need_relationships,
    a.lifestyle_other_weighted_score AS need_lifestyle,
    a.drug_other_weighted_score AS need_drugs,
    a.alcohol_other_weighted_score AS need_alcohol,
    a.emo_linked_to_reoffending AS need_wellbeing,
    a.think_other_weighted_score AS need_thinking,
    a.att_other_weighted_score AS need_attitudes,
    a.no_fixed_abode AS need_no_fixed_abode,
    a.currently_unemployed AS need_unemployed,
    a.injecting_drug_use AS need_injecting,
    a.motivation_to_change AS need_motivation
FROM events e
ASOF JOIN assessments a ON a.person_number = e.person_number AND e.index_date > a.date_completed
ORDER BY e.index_event_id;
