import { sql } from '@payloadcms/db-postgres'

export async function up({ db }) {
  await db.execute(sql`
   CREATE TABLE "districts" (
  	"id" serial PRIMARY KEY NOT NULL,
  	"name" varchar,
  	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
  	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
  );
  
  ALTER TABLE "organizations" ADD COLUMN "address" varchar;
  ALTER TABLE "organizations" ADD COLUMN "district_id" integer;
  ALTER TABLE "_organizations_v" ADD COLUMN "version_address" varchar;
  ALTER TABLE "_organizations_v" ADD COLUMN "version_district_id" integer;
  ALTER TABLE "payload_locked_documents_rels" ADD COLUMN "districts_id" integer;
  CREATE INDEX "districts_updated_at_idx" ON "districts" USING btree ("updated_at");
  CREATE INDEX "districts_created_at_idx" ON "districts" USING btree ("created_at");
  ALTER TABLE "organizations" ADD CONSTRAINT "organizations_district_id_districts_id_fk" FOREIGN KEY ("district_id") REFERENCES "public"."districts"("id") ON DELETE set null ON UPDATE no action;
  ALTER TABLE "_organizations_v" ADD CONSTRAINT "_organizations_v_version_district_id_districts_id_fk" FOREIGN KEY ("version_district_id") REFERENCES "public"."districts"("id") ON DELETE set null ON UPDATE no action;
  ALTER TABLE "payload_locked_documents_rels" ADD CONSTRAINT "payload_locked_documents_rels_districts_fk" FOREIGN KEY ("districts_id") REFERENCES "public"."districts"("id") ON DELETE cascade ON UPDATE no action;
  CREATE INDEX "organizations_district_idx" ON "organizations" USING btree ("district_id");
  CREATE INDEX "_organizations_v_version_version_district_idx" ON "_organizations_v" USING btree ("version_district_id");
  CREATE INDEX "payload_locked_documents_rels_districts_id_idx" ON "payload_locked_documents_rels" USING btree ("districts_id");`)
}

export async function down({ db }) {
  await db.execute(sql`
   ALTER TABLE "districts" DISABLE ROW LEVEL SECURITY;
  DROP TABLE "districts" CASCADE;
  ALTER TABLE "organizations" DROP CONSTRAINT "organizations_district_id_districts_id_fk";
  
  ALTER TABLE "_organizations_v" DROP CONSTRAINT "_organizations_v_version_district_id_districts_id_fk";
  
  ALTER TABLE "payload_locked_documents_rels" DROP CONSTRAINT "payload_locked_documents_rels_districts_fk";
  
  DROP INDEX "organizations_district_idx";
  DROP INDEX "_organizations_v_version_version_district_idx";
  DROP INDEX "payload_locked_documents_rels_districts_id_idx";
  ALTER TABLE "organizations" DROP COLUMN "address";
  ALTER TABLE "organizations" DROP COLUMN "district_id";
  ALTER TABLE "_organizations_v" DROP COLUMN "version_address";
  ALTER TABLE "_organizations_v" DROP COLUMN "version_district_id";
  ALTER TABLE "payload_locked_documents_rels" DROP COLUMN "districts_id";`)
}
