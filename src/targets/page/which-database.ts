/** Asks a connection which database of which server it is to; a server's start is known to the microsecond. For a site that shares Sluice's transaction. */
export const whichDatabaseSql = 'SELECT current_database() AS name, pg_postmaster_start_time()::text AS started'
