-- The bill and the reduction of work/bill in SQL.  What stands in braces is filled in from the rules.
WITH found AS (
    SELECT amount::BIGINT * CASE WHEN adults <= not_counting THEN {no_adult} WHEN adults - not_counting = 1 THEN {one_adult} ELSE 100 END AS annual,
           days,
           greatest(0, capital - {capital_ignored}) AS above,
           CASE WHEN couple <> 0 THEN {for_couple} ELSE {for_single} END
               + children * {for_child} + severe_disability * {for_severe_disability} + carers * {for_carer} AS needs,
           income, {first_deduction} + {second_deduction} AS deducted,
           passported <> 0 AS freed, capital > {capital_limit} AS rich, accounts.rowid AS row_place
    FROM accounts JOIN amounts ON amounts.place = area::SMALLINT * 9 + band + 1 - adapted
),
charged AS (
    SELECT ((annual * days + {half}) // {whole})::INTEGER AS charge, annual, days, deducted, freed, rich, row_place,
           CASE WHEN freed THEN 0
                ELSE greatest(0, income + ((above + {round_up}) // {capital_step})::INTEGER * {income_for_step} - needs) END AS excess
    FROM found
),
reduced AS (
    SELECT charge, row_place,
           CASE WHEN rich AND NOT freed THEN 0
                ELSE least(charge, ((greatest(0, annual * 7 - deducted::BIGINT * {whole} - excess::BIGINT * {tapered}) * days + {half_week}) // {whole_week})::INTEGER)
           END AS reduction
    FROM charged
)
SELECT charge, reduction, charge - reduction AS to_pay FROM reduced
