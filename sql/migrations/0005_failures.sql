-- Groups of failures tell when they were first and last seen, without reading every one.
CREATE INDEX failure_by_time ON sluice.failure (integration, code, fingerprint, failed_at);
