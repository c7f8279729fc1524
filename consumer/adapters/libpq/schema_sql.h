/* SPDX-License-Identifier: Apache-2.0
 * The questions of schema.c, which answer with statements. The search path is pg_catalog alone, so every name in them
 * bears its schema. */
#ifndef SANDBOX_LIBPQ_SCHEMA_SQL_H
#define SANDBOX_LIBPQ_SCHEMA_SQL_H

/* The tenant's: not the system's, not an extension's, not the cloner's. */
#define OURS_IN(schema) schema ".nspname !~ '^pg_' AND " schema ".nspname <> 'information_schema'"
#define NO_MEMBER(class, oid)                                                                                          \
	" AND NOT EXISTS (SELECT 1 FROM pg_depend AS dep WHERE dep.deptype = 'e' AND dep.classid = '" class            \
	"'::regclass AND dep.objid = " oid ")"
#define RELATION "quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
#define OUR_RELATION OURS_IN("n") " AND c.relname !~ '^sandbox_' AND c.relpersistence <> 't'" NO_MEMBER("pg_class", "c.oid")

#define TABLES_SQL(kinds) \
	"SELECT c.oid, c.relname, " RELATION ", c.relkind, greatest(c.reltuples, 0)::bigint," \
	" CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END," \
	" CASE WHEN c.relkind = 'f' THEN 'a foreign table'" \
	" WHEN c.relrowsecurity THEN 'a table with row level security'" \
	" WHEN EXISTS (SELECT 1 FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid" \
	" AND p.relkind <> 'p') THEN 'a table that inherits from another'" \
	" WHEN c.reloftype <> 0 THEN 'a typed table' ELSE '' END" \
	" FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace" \
	" WHERE c.relkind IN (" kinds ") AND " OUR_RELATION " ORDER BY c.oid"

static const char tables_sql[] = TABLES_SQL("'r', 'p', 'f'");
/* A proof looks at what was computed and stored, too. */
static const char texts_sql[] = TABLES_SQL("'r', 'p', 'f', 'm'");

static const char columns_sql[] =
	"SELECT a.attrelid, a.attname, quote_ident(a.attname),"
	" CASE WHEN coalesce(nullif(a.atttypmod, -1), t.typtypmod) > 4 AND coalesce(nullif(t.typbasetype, 0), t.oid)"
	" IN (1042, 1043) THEN coalesce(nullif(a.atttypmod, -1), t.typtypmod) - 4 ELSE 0 END,"
	" (t.typcategory NOT IN ('B', 'D', 'E', 'G', 'I', 'N', 'T', 'V') AND t.typname NOT IN ('uuid', 'bytea'))::int,"
	" (t.typcategory IN ('B', 'D', 'E', 'G', 'I', 'N', 'T', 'V') OR t.typname IN ('uuid', 'bytea', 'json', 'xml') OR"
	" (t.typcategory = 'S' AND coalesce(nullif(t.typbasetype, 0), t.oid) <> 1042))::int, (a.attgenerated <> '')::int,"
	" (coalesce(nullif(t.typbasetype, 0), t.oid) IN (16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 650, 700, 701, 774, 790, 829, 869,"
	" 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950))::int"
	" FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	" JOIN pg_type AS t ON t.oid = a.atttypid"
	" WHERE c.relkind IN ('r', 'p', 'f', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND " OUR_RELATION
	" ORDER BY a.attrelid, a.attnum";

/* One row each: a place in the order, a number, a name, a statement. */
static const char before_sql[] =
	"SELECT * FROM ("
	" SELECT 1, n.oid, 'schema ' || n.nspname, format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname) FROM pg_namespace AS n"
	" WHERE " OURS_IN("n") NO_MEMBER("pg_namespace", "n.oid")
	" UNION ALL"
	" SELECT 2, x.oid, 'extension ' || x.extname, format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I VERSION %L',"
	" x.extname, n.nspname, x.extversion) FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace"
	" WHERE x.extname <> 'plpgsql'"
	" UNION ALL"
	" SELECT 3, t.oid, 'type ' || format('%I.%I', n.nspname, t.typname), CASE t.typtype"
	" WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname, (SELECT string_agg(quote_literal("
	"l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_enum AS l WHERE l.enumtypid = t.oid))"
	" WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s%s', n.nspname, t.typname, format_type(t.typbasetype,"
	" t.typtypmod), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END, ' DEFAULT ' || t.typdefault, (SELECT"
	" string_agg(' CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), '') FROM pg_constraint"
	" AS k WHERE k.contypid = t.oid))"
	" ELSE format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname, (SELECT string_agg(format('%I %s', a.attname,"
	" format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) FROM pg_attribute AS a WHERE a.attrelid ="
	" t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)) END"
	" FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE (t.typtype IN ('e', 'd') OR (t.typtype ="
	" 'c' AND (SELECT relkind FROM pg_class WHERE oid = t.typrelid) = 'c')) AND " OURS_IN("n")
	NO_MEMBER("pg_type", "t.oid")
	" UNION ALL"
	" SELECT 4, f.oid, 'function ' || f.oid::regprocedure, pg_get_functiondef(f.oid) FROM pg_proc AS f"
	" JOIN pg_namespace AS n ON n.oid = f.pronamespace WHERE f.prokind IN ('f', 'p') AND " OURS_IN("n")
	NO_MEMBER("pg_proc", "f.oid")
	" UNION ALL"
	" SELECT 5, c.oid, 'sequence ' || " RELATION ", format('CREATE SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE"
	" %s START WITH %s CACHE %s%s', " RELATION ", format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax,"
	" s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)"
	" FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	" WHERE NOT EXISTS (SELECT 1 FROM pg_depend AS i WHERE i.classid = 'pg_class'::regclass AND i.objid = c.oid AND"
	" i.deptype = 'i') AND " OUR_RELATION
	" UNION ALL"
	" SELECT 6, c.oid, 'table ' || " RELATION ", format('CREATE TABLE %s (%s)%s%s', " RELATION ", (SELECT string_agg("
	"format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),"
	" CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format(' COLLATE %I.%I', o.nspname, l.collname) FROM"
	" pg_collation AS l JOIN pg_namespace AS o ON o.oid = l.collnamespace WHERE l.oid = a.attcollation) ELSE '' END,"
	" CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,"
	" CASE WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'"
	" WHEN a.attidentity <> '' THEN ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END ||"
	" ' AS IDENTITY' || (SELECT format(' (INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s)',"
	" s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache) FROM pg_sequence AS s WHERE s.seqrelid ="
	" pg_get_serial_sequence(" RELATION ", a.attname)::regclass)"
	" WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END), ', ' ORDER BY"
	" a.attnum) FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid LEFT JOIN pg_attrdef AS d ON d.adrelid ="
	" a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),"
	" ' PARTITION BY ' || pg_get_partkeydef(c.oid), ' WITH (' || array_to_string(c.reloptions, ', ') || ')')"
	" FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND " OUR_RELATION
	") AS o (place, oid, name, sql) ORDER BY place, oid";

/* And the pages of the table that an index or a constraint has to read. */
static const char after_sql[] =
	"SELECT o.*, CASE WHEN o.place IN (2, 3, 4, 5, 12) THEN pg_relation_size(coalesce(k.conrelid, x.indrelid, o.oid))"
	" / current_setting('block_size')::int ELSE 0 END FROM ("
	" SELECT CASE k.contype WHEN 'f' THEN 5 WHEN 'c' THEN 4 ELSE 2 END, k.oid, 'constraint ' || k.conrelid::regclass || ' '"
	" || k.conname, format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,"
	" pg_get_constraintdef(k.oid)) FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid"
	" JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE k.contype IN ('p', 'u', 'x', 'f', 'c') AND"
	" k.conparentid = 0 AND k.conislocal AND NOT (c.relkind = 'p' AND k.contype IN ('p', 'u')) AND " OUR_RELATION
	" UNION ALL"
	" SELECT 3, k.oid, 'constraint ' || k.conrelid::regclass || ' ' || k.conname, format('ALTER TABLE %s ADD CONSTRAINT"
	" %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)) FROM pg_constraint AS k JOIN pg_class AS c ON"
	" c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND k.contype IN ('p', 'u')"
	" AND k.conparentid = 0 AND " OUR_RELATION
	" UNION ALL"
	" SELECT 1, c.oid, 'partition ' || c.oid::regclass, format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s',"
	" i.inhparent::regclass, c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)) FROM pg_class AS c JOIN pg_namespace AS"
	" n ON n.oid = c.relnamespace JOIN pg_inherits AS i ON i.inhrelid = c.oid WHERE c.relispartition AND c.relkind IN"
	" ('r', 'p') AND " OUR_RELATION
	" UNION ALL"
	" SELECT 2, x.indexrelid, 'index ' || x.indexrelid::regclass, CASE WHEN x.indisvalid THEN replace(pg_get_indexdef("
	"x.indexrelid), ' ON ONLY ', ' ON ') ELSE pg_get_indexdef(x.indexrelid) END"
	" FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS j ON j.oid = x.indexrelid"
	" JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND NOT j.relispartition AND NOT"
	" EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')) AND "
	OUR_RELATION
	" UNION ALL"
	" SELECT 6, c.oid, 'owner of ' || " RELATION ", format('ALTER SEQUENCE %s OWNED BY %s.%I', " RELATION ","
	" d.refobjid::regclass, a.attname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_depend"
	" AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a' AND d.refobjsubid > 0 JOIN"
	" pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE c.relkind = 'S' AND " OUR_RELATION
	" UNION ALL"
	" SELECT 7, c.oid, 'view ' || " RELATION ", format('CREATE %sVIEW %s%s AS %s', CASE c.relkind WHEN 'm' THEN"
	" 'MATERIALIZED ' ELSE '' END, " RELATION ", ' WITH (' || array_to_string(c.reloptions, ', ') || ')',"
	" pg_get_viewdef(c.oid)) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	" WHERE c.relkind IN ('v', 'm') AND " OUR_RELATION
	" UNION ALL"
	" SELECT 8, x.indexrelid, 'index ' || x.indexrelid::regclass, pg_get_indexdef(x.indexrelid)"
	" FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
	" WHERE c.relkind = 'm' AND " OUR_RELATION
	" UNION ALL"
	" SELECT 8, s.oid, 'statistics ' || s.stxname, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext AS s JOIN pg_class"
	" AS c ON c.oid = s.stxrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE " OUR_RELATION
	" UNION ALL"
	" SELECT 9, r.oid, 'rule ' || c.oid::regclass || ' ' || r.rulename, pg_get_ruledef(r.oid) FROM pg_rewrite AS r JOIN"
	" pg_class AS c ON c.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN'"
	" AND " OUR_RELATION
	" UNION ALL"
	" SELECT 9, g.oid, 'trigger ' || c.oid::regclass || ' ' || g.tgname, pg_get_triggerdef(g.oid) FROM pg_trigger AS g JOIN"
	" pg_class AS c ON c.oid = g.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE NOT g.tgisinternal AND"
	" g.tgparentid = 0 AND " OUR_RELATION
	" UNION ALL"
	" SELECT 10, g.oid, 'state of trigger ' || c.oid::regclass || ' ' || g.tgname, format('ALTER TABLE %s %s TRIGGER %I',"
	" c.oid::regclass, CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END,"
	" g.tgname) FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid JOIN pg_namespace AS n ON n.oid ="
	" c.relnamespace WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled <> 'O' AND " OUR_RELATION
	/* Last: a server that dies empties such a table, and the copy counts on what it has written. */
	" UNION ALL"
	" SELECT 11, c.oid, 'persistence of ' || " RELATION ", format('ALTER TABLE %s SET UNLOGGED', " RELATION ") FROM pg_class AS"
	" c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND " OUR_RELATION
	/* Samples for the planner. */
	" UNION ALL"
	" SELECT 12, c.oid, 'samples of ' || " RELATION ", format('ANALYZE %s', " RELATION ") FROM pg_class AS c JOIN pg_namespace"
	" AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND " OUR_RELATION
	") AS o (place, oid, name, sql) LEFT JOIN pg_constraint AS k ON k.oid = o.oid AND o.place IN (2, 3, 4, 5) LEFT JOIN"
	" pg_index AS x ON x.indexrelid = o.oid AND o.place = 2 ORDER BY o.place, o.oid";

/* What no question above knows how to make. */
static const char strange_sql[] =
	"SELECT 'aggregate ' || f.oid::regprocedure FROM pg_proc AS f JOIN pg_namespace AS n ON n.oid = f.pronamespace"
	" WHERE f.prokind IN ('a', 'w') AND " OURS_IN("n") NO_MEMBER("pg_proc", "f.oid")
	" UNION ALL SELECT 'type ' || t.typname FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace"
	" WHERE (t.typtype = 'r' OR (t.typtype = 'b' AND t.typelem = 0)) AND " OURS_IN("n") NO_MEMBER("pg_type", "t.oid")
	" UNION ALL SELECT 'operator ' || o.oprname FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace"
	" WHERE " OURS_IN("n") NO_MEMBER("pg_operator", "o.oid")
	" UNION ALL SELECT 'large object' WHERE EXISTS (SELECT 1 FROM pg_largeobject_metadata) LIMIT 1";

static const char drop_sql[] =
	"SELECT format('DROP SCHEMA %I CASCADE', n.nspname) FROM pg_namespace AS n WHERE n.nspname <> 'public' AND " OURS_IN("n")
	NO_MEMBER("pg_namespace", "n.oid")
	" UNION ALL SELECT format('DROP %s IF EXISTS %s CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN"
	" 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, " RELATION ") FROM pg_class AS c"
	" JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S',"
	" 'c') AND " OUR_RELATION
	" UNION ALL SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', f.oid::regprocedure) FROM pg_proc AS f JOIN"
	" pg_namespace AS n ON n.oid = f.pronamespace WHERE n.nspname = 'public'" NO_MEMBER("pg_proc", "f.oid")
	" UNION ALL SELECT format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname) FROM pg_type AS t JOIN"
	" pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname = 'public' AND t.typtype IN ('e', 'd')"
	NO_MEMBER("pg_type", "t.oid")
	" UNION ALL SELECT format('DROP EXTENSION IF EXISTS %I CASCADE', x.extname) FROM pg_extension AS x"
	" WHERE x.extname <> 'plpgsql'";

#endif
