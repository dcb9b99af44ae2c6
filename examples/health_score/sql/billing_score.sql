-- How well an account pays: a point less for each day that its latest open invoice is overdue.
SELECT
    a.team,
    a.account_id,
    coalesce(max(CASE WHEN i.paid IS NULL THEN $run_date - i.due END), 0) AS overdue_days,
    greatest(100 - coalesce(max(CASE WHEN i.paid IS NULL THEN $run_date - i.due END), 0), 0) AS billing_score
FROM accounts_clean a
JOIN invoices i ON i.account_id = a.account_id
GROUP BY a.team, a.account_id
