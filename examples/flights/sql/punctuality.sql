-- How late a carrier is at the gate of arrival. Cancelled flights have no delay: they count apart.
SELECT
    carrier,
    count(*) AS flights,
    count(*) - count(arr_time) AS not_arrived,
    round(avg(arr_delay), 1) AS mean_arrival_delay_minutes,
    round(avg(CASE WHEN arr_delay > 15 THEN 100.0 WHEN arr_delay IS NOT NULL THEN 0.0 END), 1) AS late_percent
FROM flights
GROUP BY carrier
ORDER BY carrier
