CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS unaccent;
SELECT pg_sleep(0.6);
CREATE TYPE public.billable_metric_rounding_function AS ENUM ('ceil', 'floor', 'round');
CREATE TYPE public.subscription_on_termination_invoice AS ENUM ('generate', 'skip');
CREATE TYPE public.customer_type AS ENUM ('company', 'individual');
CREATE TABLE public.users (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  email character varying,
  password_digest character varying,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
CREATE TABLE public.organizations (
  id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
  name character varying NOT NULL,
  default_currency character varying DEFAULT 'USD' NOT NULL,
  country character varying,
  address_line1 character varying,
  address_line2 character varying,
  state character varying,
  zipcode character varying,
  email character varying,
  city character varying,
  legal_name character varying,
  legal_number character varying,
  timezone character varying DEFAULT 'UTC' NOT NULL,
  created_at timestamp(6) without time zone NOT NULL,
  updated_at timestamp(6) without time zone NOT NULL
);
