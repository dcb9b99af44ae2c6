-- The longest streak of late departures, by carrier and airport. A cancelled flight has no delay, so it is not late,
-- and ends a streak: that is what the new version does better.
WITH ordered AS (
    SELECT
        carrier,
        origin,
        coalesce(dep_delay > $late_minutes, false) AS late,
        row_number() OVER (PARTITION BY carrier, origin ORDER BY time_hour, minute, flight) AS place,
        row_number() OVER (
            PARTITION BY carrier, origin, coalesce(dep_delay > $late_minutes, false)
            ORDER BY time_hour, minute, flight
        ) AS place_among_its_like
    FROM flights
),
streaks AS (
    SELECT carrier, origin, count(*) AS length
    FROM ordered
    WHERE late
    GROUP BY carrier, origin, place - place_among_its_like
)
SELECT carrier, origin, max(length) AS longest, count(*) AS streaks
FROM streaks
GROUP BY carrier, origin
