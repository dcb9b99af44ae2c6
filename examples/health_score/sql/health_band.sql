-- One figure for an account: half of it use, three tenths payment, two tenths support; no ticket is the best support.
SELECT
    team,
    account_id,
    health,
    CASE WHEN health >= $green_from THEN 'green' WHEN health >= $yellow_from THEN 'yellow' ELSE 'red' END AS band
FROM (
    SELECT
        team,
        account_id,
        (5 * coalesce(usage_score, 0) + 3 * coalesce(billing_score, 100) + 2 * coalesce(support_score, 100)) / 10 AS health
    FROM health
) AS figures
