ALTER TABLE public.subscriptions ADD COLUMN last_received_event_on date;
SELECT pg_sleep(0.2);
