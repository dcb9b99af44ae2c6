-- Block time: the minutes from leaving one gate to reaching the other, flight by flight.
--
-- The departure and the arrival are readings of local clocks (517 is 5:17), so each is brought to UTC with
-- its airport's offset on that day before they are subtracted: where the clocks go forward in summer (`dst`
-- is `A`), the offset is an hour more. New York's do; Arizona's and Hawaii's do not.
WITH readings AS (
    SELECT
        f.carrier,
        f.flight,
        f.origin,
        f.dest,
        f.time_hour,
        f.air_time,
        CAST(f.dep_time AS BIGINT) / 100 * 60 + CAST(f.dep_time AS BIGINT) % 100 AS dep_minute,
        CAST(f.arr_time AS BIGINT) / 100 * 60 + CAST(f.arr_time AS BIGINT) % 100 AS arr_minute,
        o.tz + CASE WHEN summer AND o.dst = 'A' THEN 1 ELSE 0 END AS origin_offset,
        d.tz + CASE WHEN summer AND d.dst = 'A' THEN 1 ELSE 0 END AS dest_offset
    FROM (
        SELECT
            *,
            time_hour >= CAST($summer_from AS TIMESTAMP) AND time_hour < CAST($summer_until AS TIMESTAMP) AS summer
        FROM flights
    ) f
    JOIN airports o ON o.faa = f.origin
    LEFT JOIN airports d ON d.faa = f.dest
)
SELECT
    carrier,
    flight,
    origin,
    dest,
    time_hour,
    -- A flight that lands after midnight comes out a day short: the remainder puts that right.
    (arr_minute - dest_offset * 60 - dep_minute + origin_offset * 60 + 1440) % 1440 AS block_minutes,
    CAST(air_time AS BIGINT) AS air_minutes,
    -- How far the clock of arrival is behind the clock of departure.
    origin_offset - dest_offset AS clock_hours
FROM readings
ORDER BY carrier, flight, origin, time_hour
