-- SPDX-License-Identifier: Apache-2.0
-- What the adapter itself says to SQL Server, for two sample tables: written by tests/unit/test_odbc_sqlserver.c.

-- name: measure_first_by_one_number
SELECT COUNT(*), MAX(p.k), COALESCE(SUM(p.n), 0) FROM (SELECT t."contact_id" AS k, COALESCE(CAST(DATALENGTH(t."mail") AS bigint), 0) + COALESCE(CAST(DATALENGTH(t."x""y") AS bigint), 0) + 64 AS n FROM "crm7"."con.tact" AS t WHERE t."contact_id" >= ? ORDER BY t."contact_id" OFFSET 0 ROWS FETCH NEXT ? ROWS ONLY) AS p

-- name: measure_by_one_number
SELECT COUNT(*), MAX(p.k), COALESCE(SUM(p.n), 0) FROM (SELECT t."contact_id" AS k, COALESCE(CAST(DATALENGTH(t."mail") AS bigint), 0) + COALESCE(CAST(DATALENGTH(t."x""y") AS bigint), 0) + 64 AS n FROM "crm7"."con.tact" AS t WHERE t."contact_id" > ? ORDER BY t."contact_id" OFFSET 0 ROWS FETCH NEXT ? ROWS ONLY) AS p

-- name: read_first_by_one_number
SELECT N'[' + COALESCE(STRING_AGG(CAST(N'[' AS nvarchar(max)) + CAST(s."sandbox key" AS nvarchar(20)) + N',[' + N'null' + N',' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."mail" AS nvarchar(max)), N'json') + N'"', N'null') + N',' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."x""y" AS nvarchar(max)), N'json') + N'"', N'null') + N']' + N']', N','), N'') + N']' FROM (SELECT t."contact_id" AS "sandbox key", t.* FROM "crm7"."con.tact" AS t WHERE t."contact_id" BETWEEN ? AND ?) AS s

-- name: read_by_one_number
SELECT N'[' + COALESCE(STRING_AGG(CAST(N'[' AS nvarchar(max)) + CAST(s."sandbox key" AS nvarchar(20)) + N',[' + N'null' + N',' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."mail" AS nvarchar(max)), N'json') + N'"', N'null') + N',' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."x""y" AS nvarchar(max)), N'json') + N'"', N'null') + N']' + N']', N','), N'') + N']' FROM (SELECT t."contact_id" AS "sandbox key", t.* FROM "crm7"."con.tact" AS t WHERE t."contact_id" BETWEEN ? AND ?) AS s

-- name: rewrite_by_one_number
UPDATE t SET t."mail" = CASE WHEN x1.k IS NULL THEN t."mail" ELSE x1.v END, t."x""y" = CASE WHEN x2.k IS NULL THEN t."x""y" ELSE x2.v END FROM "crm7"."con.tact" AS t JOIN (SELECT t."contact_id" AS "sandbox key", t.* FROM "crm7"."con.tact" AS t WHERE t."contact_id" BETWEEN ? AND ?) AS s ON s."contact_id" = t."contact_id" LEFT JOIN #sandbox_changes AS x1 ON x1.c = 1 AND x1.k = s."sandbox key" LEFT JOIN #sandbox_changes AS x2 ON x2.c = 2 AND x2.k = s."sandbox key" WHERE EXISTS (SELECT 1 FROM #sandbox_changes AS y WHERE y.k = s."sandbox key")

-- name: last_key_by_one_number
SELECT MAX(t."contact_id") FROM "crm7"."con.tact" AS t

-- name: set_column
UPDATE t SET t."mail" = ? FROM "crm7"."con.tact" AS t WHERE t."contact_id" = ?

-- name: measure_first_by_two_columns
SELECT COUNT(*), MAX(p.k), COALESCE(SUM(p.n), 0) FROM (SELECT 0 AS k, COALESCE(CAST(DATALENGTH(t."a") AS bigint), 0) + COALESCE(CAST(DATALENGTH(t."text") AS bigint), 0) + 64 AS n FROM "crm7"."pair" AS t WHERE EXISTS (SELECT 1 FROM #sandbox_high AS b WHERE NOT (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a"))))) AS p

-- name: measure_by_two_columns
SELECT COUNT(*), MAX(p.k), COALESCE(SUM(p.n), 0) FROM (SELECT 0 AS k, COALESCE(CAST(DATALENGTH(t."a") AS bigint), 0) + COALESCE(CAST(DATALENGTH(t."text") AS bigint), 0) + 64 AS n FROM "crm7"."pair" AS t WHERE EXISTS (SELECT 1 FROM #sandbox_low AS b WHERE (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a")))) AND EXISTS (SELECT 1 FROM #sandbox_high AS b WHERE NOT (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a"))))) AS p

-- name: read_first_by_two_columns
SELECT N'[' + COALESCE(STRING_AGG(CAST(N'[' AS nvarchar(max)) + CAST(s."sandbox key" AS nvarchar(20)) + N',[' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."a" AS nvarchar(max)), N'json') + N'"', N'null') + N',' + N'null' + N',' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."text" AS nvarchar(max)), N'json') + N'"', N'null') + N']' + N']', N','), N'') + N']' FROM (SELECT ROW_NUMBER() OVER (ORDER BY t."b", t."a") AS "sandbox key", t.* FROM "crm7"."pair" AS t WHERE EXISTS (SELECT 1 FROM #sandbox_high AS b WHERE NOT (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a"))))) AS s

-- name: read_by_two_columns
SELECT N'[' + COALESCE(STRING_AGG(CAST(N'[' AS nvarchar(max)) + CAST(s."sandbox key" AS nvarchar(20)) + N',[' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."a" AS nvarchar(max)), N'json') + N'"', N'null') + N',' + N'null' + N',' + COALESCE(N'"' + STRING_ESCAPE(CAST(s."text" AS nvarchar(max)), N'json') + N'"', N'null') + N']' + N']', N','), N'') + N']' FROM (SELECT ROW_NUMBER() OVER (ORDER BY t."b", t."a") AS "sandbox key", t.* FROM "crm7"."pair" AS t WHERE EXISTS (SELECT 1 FROM #sandbox_low AS b WHERE (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a")))) AND EXISTS (SELECT 1 FROM #sandbox_high AS b WHERE NOT (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a"))))) AS s

-- name: rewrite_by_two_columns
UPDATE t SET t."b" = CASE WHEN x1.k IS NULL THEN t."b" ELSE x1.v END, t."text" = CASE WHEN x2.k IS NULL THEN t."text" ELSE x2.v END FROM "crm7"."pair" AS t JOIN (SELECT ROW_NUMBER() OVER (ORDER BY t."b", t."a") AS "sandbox key", t.* FROM "crm7"."pair" AS t WHERE EXISTS (SELECT 1 FROM #sandbox_low AS b WHERE (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a")))) AND EXISTS (SELECT 1 FROM #sandbox_high AS b WHERE NOT (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a"))))) AS s ON s."b" = t."b" AND s."a" = t."a" LEFT JOIN #sandbox_changes AS x1 ON x1.c = 1 AND x1.k = s."sandbox key" LEFT JOIN #sandbox_changes AS x2 ON x2.c = 2 AND x2.k = s."sandbox key" WHERE EXISTS (SELECT 1 FROM #sandbox_changes AS y WHERE y.k = s."sandbox key")

-- name: last_key_by_two_columns
SELECT COUNT_BIG(*) FROM "crm7"."pair" AS t

-- name: drop_low
DROP TABLE IF EXISTS #sandbox_low

-- name: drop_high
DROP TABLE IF EXISTS #sandbox_high

-- name: make_low
SELECT t."b", t."a" INTO #sandbox_low FROM "crm7"."pair" AS t WHERE 1 = 0 UNION ALL SELECT t."b", t."a" FROM "crm7"."pair" AS t WHERE 1 = 0

-- name: make_high
SELECT t."b", t."a" INTO #sandbox_high FROM "crm7"."pair" AS t WHERE 1 = 0 UNION ALL SELECT t."b", t."a" FROM "crm7"."pair" AS t WHERE 1 = 0

-- name: clear_high
DELETE FROM #sandbox_high

-- name: reach
INSERT INTO #sandbox_high SELECT TOP (1) p."b", p."a" FROM (SELECT TOP (500) t."b", t."a" FROM "crm7"."pair" AS t WHERE EXISTS (SELECT 1 FROM #sandbox_low AS b WHERE (t."b" > b."b" OR (t."b" = b."b" AND (t."a" > b."a")))) ORDER BY t."b", t."a") AS p ORDER BY p."b" DESC, p."a" DESC

-- name: clear_low
DELETE FROM #sandbox_low

-- name: advance
INSERT INTO #sandbox_low SELECT * FROM #sandbox_high

-- name: rows_read_first
SELECT TOP (500) CONVERT(nvarchar(60), t."id"), CONVERT(nvarchar(max), t."na""me"), CONVERT(nvarchar(max), t."page"), CONVERT(nvarchar(max), CONVERT(varbinary(max), t."image"), 1), CONVERT(nvarchar(60), t."at", 121), CONVERT(nvarchar(60), t."price", 2), CONVERT(nvarchar(60), t."ratio", 3) FROM "crm7"."con.tact" AS t ORDER BY t."id"

-- name: rows_read
SELECT TOP (500) CONVERT(nvarchar(60), t."id"), CONVERT(nvarchar(max), t."na""me"), CONVERT(nvarchar(max), t."page"), CONVERT(nvarchar(max), CONVERT(varbinary(max), t."image"), 1), CONVERT(nvarchar(60), t."at", 121), CONVERT(nvarchar(60), t."price", 2), CONVERT(nvarchar(60), t."ratio", 3) FROM "crm7"."con.tact" AS t CROSS JOIN (SELECT CONVERT(int, CAST(? AS nvarchar(max))) AS k1) AS b WHERE t."id" > b.k1 ORDER BY t."id"

-- name: rows_read_by_three_columns
SELECT TOP (500) CONVERT(nvarchar(60), t."id"), CONVERT(nvarchar(max), t."na""me"), CONVERT(nvarchar(max), t."page"), CONVERT(nvarchar(max), CONVERT(varbinary(max), t."image"), 1), CONVERT(nvarchar(60), t."at", 121), CONVERT(nvarchar(60), t."price", 2), CONVERT(nvarchar(60), t."ratio", 3) FROM "crm7"."con.tact" AS t CROSS JOIN (SELECT CONVERT(int, CAST(? AS nvarchar(max))) AS k1, CONVERT(varchar(20), CAST(? AS nvarchar(max)) COLLATE Latin1_General_CI_AS) AS k2, CONVERT(datetime2(7), CAST(? AS nvarchar(max)), 121) AS k3) AS b WHERE t."id" >= b.k1 AND (t."id" > b.k1 OR (t."id" = b.k1 AND (t."na""me" > b.k2 OR (t."na""me" = b.k2 AND (t."at" > b.k3))))) ORDER BY t."id", t."na""me", t."at"

-- name: rows_write
SET IDENTITY_INSERT "crm7"."con.tact" ON; INSERT INTO "crm7"."con.tact" ("id", "na""me", "page", "image", "at", "price", "ratio") SELECT CONVERT(int, j.c0), j.c1, CONVERT(xml, j.c2, 1), CONVERT(varbinary(max), j.c3, 1), CONVERT(datetime2(7), j.c4, 121), CONVERT(money, j.c5), CONVERT(float, j.c6) FROM OPENJSON(CAST(? AS nvarchar(max))) WITH (c0 nvarchar(max) '$[0]', c1 nvarchar(max) '$[1]', c2 nvarchar(max) '$[2]', c3 nvarchar(max) '$[3]', c4 nvarchar(max) '$[4]', c5 nvarchar(max) '$[5]', c6 nvarchar(max) '$[6]') AS j; SET IDENTITY_INSERT "crm7"."con.tact" OFF

-- name: rows_empty
TRUNCATE TABLE "crm7"."con.tact"

-- name: put_changes
INSERT INTO #sandbox_changes (c, k, v) SELECT ?, CAST(j.[key] AS bigint), j.value FROM OPENJSON(CAST(? AS nvarchar(max))) AS j

-- name: clear_changes
DELETE FROM #sandbox_changes

-- name: session
IF OBJECT_ID(N'tempdb..#sandbox_changes') IS NULL CREATE TABLE #sandbox_changes (c integer NOT NULL, k bigint NOT NULL, v nvarchar(max) NULL, PRIMARY KEY (c, k))

-- name: on_connect
SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF; SET XACT_ABORT ON; SET NOCOUNT OFF; SET LANGUAGE us_english; SET DATEFORMAT ymd; SET LOCK_TIMEOUT 10000; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET TEXTSIZE 2147483647

-- name: lock_stamp
SELECT one FROM dbo.sandbox_stamp WITH (HOLDLOCK) WHERE one = 1

-- name: has_table
SELECT COUNT(*) FROM sys.objects WHERE type IN ('U', 'V') AND name = ?

-- name: has_column
SELECT COUNT(*) FROM sys.objects AS o JOIN sys.columns AS c ON c.object_id = o.object_id WHERE o.type IN ('U', 'V') AND o.name = ? AND c.name = ?

-- name: tables
SELECT s.name + N'.' + t.name, N'', CASE WHEN CHARINDEX(N'.', s.name) > 0 OR t.temporal_type <> 0 OR t.is_external = 1 OR t.is_memory_optimized = 1 OR EXISTS (SELECT 1 FROM sys.columns AS c WHERE c.object_id = t.object_id AND TYPE_NAME(c.system_type_id) = N'sql_variant') THEN 1 ELSE 0 END FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%' AND EXISTS (SELECT 1 FROM sys.columns AS c WHERE c.object_id = t.object_id AND TYPE_NAME(c.system_type_id) IN (N'char', N'varchar', N'nchar', N'nvarchar', N'text', N'ntext', N'xml', N'json', N'sql_variant')) ORDER BY t.object_id

-- name: columns
SELECT c.name, CONCAT(TYPE_NAME(c.system_type_id), N'(', CASE WHEN c.max_length < 0 THEN 0 WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar') THEN c.max_length / 2 ELSE c.max_length END, N')'), CASE WHEN c.is_computed = 1 THEN 1 ELSE 0 END, COALESCE(k.key_ordinal, 0) FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id JOIN sys.columns AS c ON c.object_id = t.object_id LEFT JOIN sys.index_columns AS k ON k.object_id = c.object_id AND k.column_id = c.column_id AND k.key_ordinal > 0 AND k.index_id = (SELECT TOP (1) i.index_id FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND NOT EXISTS (SELECT 1 FROM sys.index_columns AS x JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0 AND (y.is_nullable = 1 OR y.is_computed = 1 OR TYPE_NAME(y.system_type_id) = N'timestamp')) ORDER BY i.is_primary_key DESC, i.index_id) WHERE s.name + N'.' + t.name = ? AND (k.key_ordinal > 0 OR TYPE_NAME(c.system_type_id) IN (N'char', N'varchar', N'nchar', N'nvarchar', N'text', N'ntext', N'xml', N'json')) ORDER BY c.column_id

-- name: hidden_key
SELECT CASE WHEN COUNT(*) = 1 AND MAX(CASE WHEN TYPE_NAME(c.system_type_id) IN (N'tinyint', N'smallint', N'int', N'bigint') THEN 1 ELSE 0 END) = 1 THEN 1 ELSE 0 END FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id JOIN sys.index_columns AS k ON k.object_id = t.object_id AND k.key_ordinal > 0 AND k.index_id = (SELECT TOP (1) i.index_id FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND NOT EXISTS (SELECT 1 FROM sys.index_columns AS x JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0 AND (y.is_nullable = 1 OR y.is_computed = 1 OR TYPE_NAME(y.system_type_id) = N'timestamp')) ORDER BY i.is_primary_key DESC, i.index_id) JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id WHERE s.name + N'.' + t.name = ?

-- name: triggers
SELECT g.name, N'ENABLE TRIGGER ' + QUOTENAME(s.name) + N'.' + QUOTENAME(g.name) + N' ON ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name), N'DISABLE TRIGGER ' + QUOTENAME(s.name) + N'.' + QUOTENAME(g.name) + N' ON ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name) FROM sys.triggers AS g JOIN sys.tables AS t ON t.object_id = g.parent_id JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE g.is_disabled = 0 AND s.name + N'.' + t.name = ?
