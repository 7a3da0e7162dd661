import { sql } from '@payloadcms/db-postgres'

export async function up({ db }) {
  await db.execute(sql`
   ALTER TABLE "organizations" ADD COLUMN "sluice_place" varchar;
  ALTER TABLE "_organizations_v" ADD COLUMN "version_sluice_place" varchar;
  CREATE UNIQUE INDEX "organizations_sluice_place_idx" ON "organizations" USING btree ("sluice_place");
  CREATE INDEX "_organizations_v_version_version_sluice_place_idx" ON "_organizations_v" USING btree ("version_sluice_place");`)
}

export async function down({ db }) {
  await db.execute(sql`
   DROP INDEX "organizations_sluice_place_idx";
  DROP INDEX "_organizations_v_version_version_sluice_place_idx";
  ALTER TABLE "organizations" DROP COLUMN "sluice_place";
  ALTER TABLE "_organizations_v" DROP COLUMN "version_sluice_place";`)
}
