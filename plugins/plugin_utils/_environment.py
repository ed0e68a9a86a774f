# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variable sets what of Lago's environment, and since when Lago knows it. PRIVATE to the collection.

``SINCE`` was read from the tags of getlago/lago-api: the first, from v1.42.0 on, whose source has the name. What is
not in it is older.
"""

from __future__ import annotations

Release = tuple[int, int, int]

#: Names in the environment of Lago's processes, and the variable of the collection that sets them.
VARIABLES = {
    "API_URL": "lago_domain",
    "DATABASE_POOL": "lago_postgres_pool",
    "DATABASE_PREPARED_STATEMENTS": "lago_postgres_prepared_statements",
    "DATABASE_PROXY_URL": "lago_postgres_pooler_url",
    "DATABASE_URL": "lago_postgres_url",
    "GOOGLE_AUTH_CLIENT_ID": "lago_google_client_id",
    "GOOGLE_AUTH_CLIENT_SECRET": "lago_google_client_secret",
    "LAGO_API_URL": "lago_domain",
    "LAGO_AWS_S3_ACCESS_KEY_ID": "lago_s3_access_key_id",
    "LAGO_AWS_S3_BUCKET": "lago_s3_bucket",
    "LAGO_AWS_S3_ENDPOINT": "lago_s3_endpoint",
    "LAGO_AWS_S3_PATH_STYLE": "lago_s3_path_style",
    "LAGO_AWS_S3_REGION": "lago_s3_region",
    "LAGO_AWS_S3_SECRET_ACCESS_KEY": "lago_s3_secret_access_key",
    "LAGO_AWS_S3_SSL_VERIFY": "lago_s3_ssl_verify",
    "LAGO_DATABASE_IDLE_TX_TIMEOUT": "lago_postgres_idle_transaction_timeout",
    "LAGO_DATABASE_LOCK_TIMEOUT": "lago_postgres_lock_timeout",
    "LAGO_DATABASE_STATEMENT_TIMEOUT": "lago_postgres_statement_timeout",
    "LAGO_DISABLE_LIFETIME_USAGE_REFRESH": "lago_lifetime_usage_refresh",
    "LAGO_DISABLE_PDF_GENERATION": "lago_pdf",
    "LAGO_DISABLE_SEGMENT": "lago_telemetry",
    "LAGO_DISABLE_SIGNUP": "lago_signup",
    "LAGO_DISABLE_SSL": "lago_tls_mode",
    "LAGO_DISABLE_WALLET_REFRESH": "lago_wallet_refresh",
    "LAGO_ENABLE_YJIT": "lago_yjit",
    "LAGO_ENCRYPTION_DETERMINISTIC_KEY": "lago_encryption_deterministic_key",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT": "lago_encryption_key_derivation_salt",
    "LAGO_ENCRYPTION_PRIMARY_KEY": "lago_encryption_primary_key",
    "LAGO_EVENTS_BATCH_MAX_LENGTH": "lago_events_batch_size",
    "LAGO_FROM_EMAIL": "lago_from_email",
    "LAGO_FRONT_URL": "lago_domain",
    "LAGO_GCS_BUCKET": "lago_gcs_bucket",
    "LAGO_GCS_GSA_EMAIL": "lago_gcs_gsa_email",
    "LAGO_GCS_IAM": "lago_gcs_iam",
    "LAGO_GCS_KEYFILE_JSON_PATH": "lago_gcs_key_file",
    "LAGO_GCS_PROJECT": "lago_gcs_project",
    "LAGO_LICENSE": "lago_license",
    "LAGO_LIFETIME_USAGE_REFRESH_INTERVAL_SECONDS": "lago_lifetime_usage_refresh_interval",
    "LAGO_LOG_LEVEL": "lago_log_level",
    "LAGO_PDF_URL": "lago_pdf_url",
    "LAGO_MEMCACHE_SERVERS": "lago_memcached_servers",
    "LAGO_REDIS_CABLE_URL": "lago_redis_cable_url",
    "LAGO_REDIS_CACHE_MASTER_NAME": "lago_redis_cache_master_name",
    "LAGO_REDIS_CACHE_POOL_SIZE": "lago_redis_cache_pool_size",
    "LAGO_REDIS_CACHE_SENTINELS": "lago_redis_cache_sentinels",
    "LAGO_REDIS_CACHE_URL": "lago_redis_cache_url",
    "LAGO_REDIS_SIDEKIQ_MASTER_NAME": "lago_redis_master_name",
    "LAGO_REDIS_SIDEKIQ_SENTINELS": "lago_redis_sentinels",
    "LAGO_RSA_PRIVATE_KEY": "lago_rsa_private_key",
    "LAGO_SIDEKIQ_WEB": "lago_extra_paths",
    "LAGO_SMTP_ADDRESS": "lago_smtp_address",
    "LAGO_SMTP_DOMAIN": "lago_smtp_domain",
    "LAGO_SMTP_PASSWORD": "lago_smtp_password",
    "LAGO_SMTP_PORT": "lago_smtp_port",
    "LAGO_SMTP_USERNAME": "lago_smtp_username",
    "LAGO_USE_AWS_S3": "lago_storage",
    "LAGO_USE_GCS": "lago_storage",
    "LAGO_WALLET_ONGOING_BALANCE_REFRESH_INTERVAL_SECONDS": "lago_wallet_refresh_interval",
    "LAGO_WEBHOOK_ATTEMPTS": "lago_webhook_attempts",
    "LAGO_WEBHOOK_TIMEOUT_SECONDS": "lago_webhook_timeout",
    "PGSSLCERT": "lago_postgres_certificate_file",
    "PGSSLKEY": "lago_postgres_key_file",
    "PGSSLMODE": "lago_postgres_sslmode",
    "PGSSLROOTCERT": "lago_postgres_ca_file",
    "RAILS_LOG_TO_STDOUT": "lago_log_to_stdout",
    "RAILS_MAX_THREADS": "lago_puma_threads",
    "REDIS_URL": "lago_redis_url",
    "SECRET_KEY_BASE": "lago_secret_key_base",
    "SENTRY_DSN": "lago_sentry_dsn",
    "SENTRY_ENABLE_CRONS": "lago_sentry_crons",
    "SENTRY_ENVIRONMENT": "lago_sentry_environment",
    "SENTRY_TRACES_SAMPLE_RATE": "lago_sentry_traces_sample_rate",
    "SIDEKIQ_AI_AGENT": "lago_workers",
    "SIDEKIQ_ALERTS": "lago_workers",
    "SIDEKIQ_ANALYTICS": "lago_workers",
    "SIDEKIQ_BILLING": "lago_workers",
    "SIDEKIQ_CLOCK": "lago_workers",
    "SIDEKIQ_CONCURRENCY": "lago_workers",
    "SIDEKIQ_EVENTS": "lago_workers",
    "SIDEKIQ_PAYMENTS": "lago_workers",
    "SIDEKIQ_PDFS": "lago_workers",
    "SIDEKIQ_WALLETS": "lago_workers",
    "SIDEKIQ_WEBHOOK": "lago_workers",
    "SSL_CERT_FILE": "lago_ca_file",
    "TZ": "lago_timezone",
    "WEB_CONCURRENCY": "lago_puma_workers",
}

#: Variables that a supported release does not know yet, and the first that does.
SINCE: dict[str, Release] = {
    "lago_postgres_idle_transaction_timeout": (1, 47, 0),
    "lago_postgres_lock_timeout": (1, 47, 0),
    "lago_postgres_statement_timeout": (1, 47, 0),
    "lago_redis_cache_sentinels": (1, 47, 0),
    "lago_redis_sentinels": (1, 43, 0),
    "lago_wallet_refresh_interval": (1, 49, 0),
    # On the main branch of 2026-08-21, after v1.51.0; releases since v1.42.0 switch it off themselves.
    "lago_yjit": (1, 52, 0),
}

#: The same for dedicated workers: the first release with their script.
WORKERS_SINCE: dict[str, Release] = {"alerts": (1, 51, 0), "wallets": (1, 51, 0)}

#: Names that a variable had before, or that Lago's own environment suggests: what is called otherwise here, and how.
RENAMED = {
    "lago_disable_pdf_generation": "lago_pdf, with the opposite value",
    "lago_disable_segment": "lago_telemetry, with the opposite value",
    "lago_disable_signup": "lago_signup, with the opposite value",
    "lago_disable_ssl": "lago_tls_mode",
    "lago_disable_wallet_refresh": "lago_wallet_refresh, with the opposite value",
    "lago_enable_yjit": "lago_yjit",
    "lago_google_auth_client_id": "lago_google_client_id",
    "lago_google_auth_client_secret": "lago_google_client_secret",
    "lago_org_api_key": "no variable: the role bootstrap makes the key and keeps it",
    "lago_org_name": "lago_organization_name",
    "lago_org_user_email": "lago_admin_email",
    "lago_org_user_password": "lago_admin_password",
    "lago_sidekiq_concurrency": "concurrency, in a row of lago_workers",
    "lago_use_aws_s3": "lago_storage, with the value s3",
    "lago_use_gcs": "lago_storage, with the value gcs",
}
