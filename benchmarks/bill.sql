-- The bill of work/bill in SQL.  What stands in braces is filled in from the rules.
WITH found AS (
    SELECT amount,
           CASE
               WHEN not_charged <> 0 THEN 0
               WHEN occupation = 0 THEN CASE counted_adults WHEN 0 THEN {no_adult} WHEN 1 THEN {one_adult} ELSE 100 END
               WHEN spared <> 0 THEN 100
               WHEN occupation = 1 THEN {furnished}
               ELSE {ladder}
           END * CASE WHEN attached <> 0 THEN {attached} ELSE 100 END * days AS share,
           reduction, discretionary, credit, dwellings.rowid AS row_place
    FROM dwellings JOIN amounts ON amounts.place = area::SMALLINT * 9 + band + 1 - adapted
),
charged AS (
    SELECT (amount::BIGINT * share + {half}) // {whole} AS charge, reduction, discretionary, credit, row_place FROM found
),
billed AS (
    SELECT charge, greatest(0, charge - reduction - discretionary) AS bill, credit, row_place FROM charged
)
SELECT charge::INTEGER AS charge, bill::INTEGER AS bill, greatest(0, bill - credit)::INTEGER AS to_pay FROM billed
