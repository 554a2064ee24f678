-- One row a person, over the records of every source that share a register key.
-- Only people with a PNC record: reoffending is measured from the PNC, and without one it would be a false 0.
-- Of several known values of a fact, that of the PNC wins, then prison, then probation; within a source the first record.
CREATE TABLE records AS
WITH facts AS (
    SELECT 'pnc' AS source, '1' AS place, record_id, sex, ethnicity, nationality, CAST(birth_month AS VARCHAR) AS birth_month FROM pnc_facts
    UNION ALL
    SELECT 'prison', '2', record_id, sex, ethnicity, nationality, CAST(birth_month AS VARCHAR) FROM prison_facts
    UNION ALL
    SELECT 'probation', '3', record_id, sex, ethnicity, nationality, CAST(birth_month AS VARCHAR) FROM probation_facts
)
SELECT facts.*, place || record_id AS priority, register_key
FROM facts JOIN register_keys USING (source, record_id);

-- People are numbered by their first PNC record, so that no result depends on the secret behind the register keys.
CREATE TABLE people AS
WITH merged AS (
    SELECT
        register_key,
        min(record_id) FILTER (source = 'pnc') AS first_record,
        count(*) FILTER (source = 'pnc') AS pnc_records,
        arg_min(sex, priority) FILTER (sex IN ('1', '2')) AS sex,
        arg_min(ethnicity, priority) FILTER (ethnicity <> 'NS') AS ethnicity,
        arg_min(nationality, priority) FILTER (nationality <> 'NK') AS nationality,
        arg_min(substr(birth_month, 1, 7), priority) FILTER (birth_month IS NOT NULL) AS birth_month
    FROM records GROUP BY register_key
)
SELECT
    row_number() OVER (ORDER BY first_record) AS person_number,
    register_key,
    pnc_records,
    CASE sex WHEN '1' THEN 'male' WHEN '2' THEN 'female' ELSE 'unknown' END AS sex,
    CASE left(ethnicity, 1) WHEN 'W' THEN 'white' WHEN 'M' THEN 'mixed' WHEN 'A' THEN 'asian' WHEN 'B' THEN 'black'
        WHEN 'O' THEN 'other' ELSE 'unknown' END AS ethnicity,
    CASE nationality WHEN 'UK' THEN 'uk' WHEN 'FN' THEN 'foreign' ELSE 'unknown' END AS nationality,
    TRY_CAST(birth_month || '-15' AS DATE) AS born -- the middle of the month of birth
FROM merged WHERE first_record IS NOT NULL;

CREATE TABLE person_records AS
SELECT source, record_id, person_number, pnc_records FROM records JOIN people USING (register_key);
