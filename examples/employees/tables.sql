-- Tables of an application that has organizations and employees. Runs again without harm.

CREATE TABLE IF NOT EXISTS district ( -- nobody feeds this one: the application keeps it itself
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ms_id text NOT NULL UNIQUE,
  title text NOT NULL
);
INSERT INTO district (ms_id, title) VALUES ('north', 'North'), ('south', 'South') ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS area (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ms_id text NOT NULL UNIQUE,
  title text NOT NULL
);

CREATE TABLE IF NOT EXISTS position (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ms_id text NOT NULL UNIQUE,
  title text NOT NULL
);

CREATE TABLE IF NOT EXISTS organization (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ms_id text NOT NULL UNIQUE,
  title text NOT NULL,
  phone text,
  district_id bigint NOT NULL REFERENCES district (id),
  loaded_at timestamptz NOT NULL,
  deleted_at timestamptz
);

CREATE TABLE IF NOT EXISTS organization_area (
  organization_id bigint NOT NULL REFERENCES organization (id),
  area_id bigint NOT NULL REFERENCES area (id),
  PRIMARY KEY (organization_id, area_id)
);

CREATE TABLE IF NOT EXISTS employee (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ms_id text NOT NULL UNIQUE,
  name text NOT NULL,
  position_id bigint NOT NULL REFERENCES position (id),
  organization_id bigint NOT NULL REFERENCES organization (id),
  date_joined date NOT NULL
);
