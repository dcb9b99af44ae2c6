-- What a route takes: block time, and the part of it that is spent on the ground.
SELECT
    carrier,
    origin,
    dest,
    count(*) AS flights,
    round(avg(block_minutes), 1) AS mean_block_minutes,
    round(avg(block_minutes - air_minutes), 1) AS mean_ground_minutes
FROM block_times
GROUP BY carrier, origin, dest
ORDER BY carrier, origin, dest
