-- A browser that signed in with a token. The cookie holds a secret of its own; the session ends with its time, or with its token.
CREATE TABLE sluice.session (
  secret_sha256 bytea PRIMARY KEY CHECK (octet_length(secret_sha256) = 32),
  token_sha256 bytea NOT NULL CHECK (octet_length(token_sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);

CREATE INDEX session_expiry ON sluice.session (expires_at);
