-- The application's own tables, as it might have had them before Sluice. Runs again without harm.

CREATE TABLE IF NOT EXISTS organization (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ror_id text NOT NULL UNIQUE, -- the external ID: a target's key column needs a unique index
  name text NOT NULL,
  status text NOT NULL,
  country_code text NOT NULL,
  city text NOT NULL,
  latitude numeric, -- numeric keeps every digit that ROR wrote
  longitude numeric,
  established integer,
  website text,
  types text[] NOT NULL,
  withdrawn_at timestamptz -- set while ROR says that the record is withdrawn
);

CREATE TABLE IF NOT EXISTS organization_relationship (
  organization_id bigint NOT NULL REFERENCES organization (id),
  to_id bigint NOT NULL REFERENCES organization (id),
  type text NOT NULL,
  PRIMARY KEY (organization_id, to_id, type)
);

CREATE INDEX IF NOT EXISTS organization_relationship_to ON organization_relationship (to_id);
