import { sql } from '@payloadcms/db-sqlite'

export async function up({ db }) {
  await db.run(sql`ALTER TABLE \`organizations\` ADD \`sluice_place\` text;`)
  await db.run(sql`CREATE UNIQUE INDEX \`organizations_sluice_place_idx\` ON \`organizations\` (\`sluice_place\`);`)
  await db.run(sql`ALTER TABLE \`_organizations_v\` ADD \`version_sluice_place\` text;`)
  await db.run(sql`CREATE INDEX \`_organizations_v_version_version_sluice_place_idx\` ON \`_organizations_v\` (\`version_sluice_place\`);`)
}

export async function down({ db }) {
  await db.run(sql`DROP INDEX \`organizations_sluice_place_idx\`;`)
  await db.run(sql`ALTER TABLE \`organizations\` DROP COLUMN \`sluice_place\`;`)
  await db.run(sql`DROP INDEX \`_organizations_v_version_version_sluice_place_idx\`;`)
  await db.run(sql`ALTER TABLE \`_organizations_v\` DROP COLUMN \`version_sluice_place\`;`)
}
