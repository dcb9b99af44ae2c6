-- One clean row for each account: without the blanks that somebody typed.
SELECT team, account_id, btrim(name) AS name, zone
FROM accounts
