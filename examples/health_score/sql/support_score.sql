-- How much an account has to complain about; one without tickets has no row.
SELECT
    a.team,
    a.account_id,
    count(*) AS tickets,
    greatest(100 - sum(CASE t.urgency WHEN 'urgent' THEN 40 WHEN 'normal' THEN 15 ELSE 5 END), 0) AS support_score
FROM accounts_clean a
JOIN tickets t ON t.account_id = a.account_id
GROUP BY a.team, a.account_id
