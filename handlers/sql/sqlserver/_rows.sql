-- SPDX-License-Identifier: Apache-2.0
-- Copying by rows, from a source on another server. What begins with _rows_source asks the source, which is never written;
-- what is remembered is in the generation. Statements that make something are texts that the source's own catalogue gives.

-- name: _rows_source_state
-- 1 when snapshots are allowed; the server's version, 99 where it is Azure's; 2 when the login may read all rows and all
-- definitions: what it may not see would be missing without a word.
SELECT snapshot_isolation_state,
       CASE WHEN CONVERT(integer, SERVERPROPERTY('EngineEdition')) IN (5, 8) THEN 99
            ELSE COALESCE(CONVERT(integer, SERVERPROPERTY('ProductMajorVersion')), 0) END,
       COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'SELECT'), 0)
       + COALESCE(HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION'), 0)
  FROM sys.databases WHERE database_id = DB_ID()

-- name: _rows_source_pin
-- From the first one on a transaction of SNAPSHOT isolation sees what is committed now.
SELECT COUNT(*) FROM sys.tables

-- name: _rows_source_identity
SELECT CONCAT(database_id, N':', CONVERT(nvarchar(23), create_date, 126)) FROM sys.databases WHERE database_id = DB_ID()

-- name: _rows_source_refused
-- What cannot be carried, or would be read other than it is. The first one is told.
SELECT TOP (1) w.why FROM (
    SELECT 1 AS o, CONCAT(N'table ', s.name, N'.', t.name, N' is ', CASE
           WHEN t.is_memory_optimized = 1 THEN N'memory-optimised' WHEN t.temporal_type <> 0 THEN N'temporal'
           WHEN t.is_external = 1 THEN N'external' WHEN t.is_filetable = 1 THEN N'a FileTable'
           WHEN t.is_node = 1 OR t.is_edge = 1 THEN N'part of a graph'
           ELSE N'in a schema with a dot in its name' END) AS why
      FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
       AND (t.is_memory_optimized = 1 OR t.temporal_type <> 0 OR t.is_external = 1 OR t.is_filetable = 1 OR t.is_node = 1
            OR t.is_edge = 1 OR CHARINDEX(N'.', s.name) > 0)
    UNION ALL
    SELECT 2, CONCAT(N'table ', s.name, N'.', t.name, N' has no primary key and no unique index of columns that are never NULL')
      FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%' AND NOT EXISTS (
           SELECT 1 FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.is_unique = 1 AND i.is_disabled = 0
              AND i.is_hypothetical = 0 AND i.has_filter = 0 AND i.type IN (1, 2) AND NOT EXISTS (
                  SELECT 1 FROM sys.index_columns AS x
                    JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id
                   WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
                     AND (y.is_nullable = 1 OR y.is_computed = 1 OR TYPE_NAME(y.system_type_id) = N'timestamp')))
    UNION ALL
    SELECT 3, CONCAT(N'column ', c.name, N' of ', s.name, N'.', t.name, N' is ', CASE
           WHEN c.is_masked = 1 THEN N'masked by the server' WHEN c.encryption_type IS NOT NULL THEN N'always encrypted'
           WHEN c.generated_always_type <> 0 THEN N'made by the server' WHEN c.is_filestream = 1 THEN N'a FILESTREAM' WHEN c.is_column_set = 1 THEN N'a column set'
           WHEN c.xml_collection_id <> 0 THEN N'XML with a schema' ELSE CONCAT(N'a ', TYPE_NAME(c.user_type_id)) END)
      FROM sys.columns AS c JOIN sys.tables AS t ON t.object_id = c.object_id
      JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
       AND (c.is_masked = 1 OR c.encryption_type IS NOT NULL OR c.generated_always_type <> 0 OR c.is_filestream = 1 OR c.is_column_set = 1
            OR c.xml_collection_id <> 0 OR TYPE_NAME(c.system_type_id) IS NULL OR TYPE_NAME(c.system_type_id) NOT IN (
                N'bit', N'tinyint', N'smallint', N'int', N'bigint', N'decimal', N'numeric', N'money', N'smallmoney', N'float',
                N'real', N'date', N'time', N'datetime', N'smalldatetime', N'datetime2', N'datetimeoffset', N'char', N'varchar',
                N'text', N'nchar', N'nvarchar', N'ntext', N'xml', N'binary', N'varbinary', N'image', N'uniqueidentifier',
                N'timestamp'))
    UNION ALL
    SELECT 4, CONCAT(N'column ', k.name, N' of ', OBJECT_SCHEMA_NAME(k.object_id), N'.', OBJECT_NAME(k.object_id),
                     N' is computed by a function of the database')
      FROM sys.computed_columns AS k
      JOIN sys.sql_expression_dependencies AS d ON d.referencing_id = k.object_id AND d.referencing_minor_id = k.column_id
     WHERE d.referenced_id <> k.object_id
    UNION ALL
    SELECT 5, CONCAT(N'index ', i.name, N' of ', OBJECT_SCHEMA_NAME(i.object_id), N'.', t.name, N' is ', i.type_desc)
      FROM sys.indexes AS i JOIN sys.tables AS t ON t.object_id = i.object_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%' AND i.type > 2
    UNION ALL
    SELECT 6, CONCAT(N'index ', i.name, N' is of a view') FROM sys.indexes AS i JOIN sys.views AS v ON v.object_id = i.object_id
     WHERE v.is_ms_shipped = 0
    UNION ALL
    SELECT 7, CONCAT(N'type ', name, N' is a type of the database''s own') FROM sys.types WHERE is_user_defined = 1
    UNION ALL
    SELECT 8, CONCAT(N'assembly ', name, N' is code of .NET') FROM sys.assemblies WHERE is_user_defined = 1
    UNION ALL
    SELECT 9, CONCAT(N'policy ', name, N' may hide rows') FROM sys.security_policies WHERE is_enabled = 1
    UNION ALL
    SELECT 10, CONCAT(N'the definition of ', OBJECT_SCHEMA_NAME(m.object_id), N'.', OBJECT_NAME(m.object_id), CASE
           WHEN m."definition" IS NULL THEN N' is encrypted, or the login may not see it'
           ELSE N' was made with ANSI_NULLS or QUOTED_IDENTIFIER off' END)
      FROM sys.sql_modules AS m JOIN sys.objects AS o ON o.object_id = m.object_id
     WHERE o.is_ms_shipped = 0 AND (m."definition" IS NULL OR m.uses_ansi_nulls = 0 OR m.uses_quoted_identifier = 0)
    UNION ALL
    SELECT 11, CONCAT(N'object ', OBJECT_SCHEMA_NAME(o.object_id), N'.', o.name, N' is ', o.type_desc) FROM sys.objects AS o
     WHERE o.is_ms_shipped = 0 AND (o.type = 'R' OR (o.type = 'D' AND o.parent_object_id = 0))
    UNION ALL
    SELECT 12, CONCAT(N'procedure ', OBJECT_NAME(object_id), N' has numbers') FROM sys.numbered_procedures
) AS w ORDER BY w.o, w.why

-- name: _rows_source_tables
-- Kind, name, the statement that makes it, rows expected: schemas, then tables.
SELECT v.kind, v.name, v.statement, v.expected FROM (
    SELECT 1 AS o, s.schema_id AS id, N'schema' AS kind, s.name AS name, N'CREATE SCHEMA ' + QUOTENAME(s.name) AS statement,
           CAST(0 AS bigint) AS expected
      FROM sys.schemas AS s WHERE s.schema_id > 4 AND s.schema_id < 16384
    UNION ALL
    SELECT 2, t.object_id, N'table', s.name + N'.' + t.name,
           N'CREATE TABLE ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name) + N' (' + (
               SELECT STRING_AGG(CAST(QUOTENAME(c.name) + CASE WHEN k."definition" IS NOT NULL
                          THEN N' AS ' + k."definition" + CASE WHEN k.is_persisted = 0 THEN N'' WHEN c.is_nullable = 1
                                                             THEN N' PERSISTED' ELSE N' PERSISTED NOT NULL' END
                          ELSE N' ' + TYPE_NAME(c.system_type_id) + CASE
                               WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar', N'char', N'varchar', N'binary', N'varbinary')
                               THEN CONCAT(N'(', CASE WHEN c.max_length < 0 THEN N'max'
                                    WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar') THEN CAST(c.max_length / 2 AS nvarchar(10))
                                    ELSE CAST(c.max_length AS nvarchar(10)) END, N')')
                               WHEN TYPE_NAME(c.system_type_id) IN (N'decimal', N'numeric') THEN CONCAT(N'(', c."precision", N',', c.scale, N')')
                               WHEN TYPE_NAME(c.system_type_id) IN (N'time', N'datetime2', N'datetimeoffset') THEN CONCAT(N'(', c.scale, N')')
                               ELSE N'' END
                               + COALESCE(N' COLLATE ' + c.collation_name, N'')
                               + CASE WHEN c.is_sparse = 1 THEN N' SPARSE' ELSE N'' END
                               + COALESCE(CONCAT(N' IDENTITY(', CONVERT(nvarchar(40), n.seed_value) + N',',
                                                 CONVERT(nvarchar(40), n.increment_value) + N')'), N'')
                               + CASE WHEN c.is_rowguidcol = 1 THEN N' ROWGUIDCOL' ELSE N'' END
                               + CASE WHEN c.is_nullable = 1 THEN N' NULL' ELSE N' NOT NULL' END END AS nvarchar(max)), N', ')
                      WITHIN GROUP (ORDER BY c.column_id)
                 FROM sys.columns AS c
                 LEFT JOIN sys.computed_columns AS k ON k.object_id = c.object_id AND k.column_id = c.column_id
                 LEFT JOIN sys.identity_columns AS n ON n.object_id = c.object_id AND n.column_id = c.column_id
                WHERE c.object_id = t.object_id) + N')',
           COALESCE((SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = t.object_id AND p.index_id IN (0, 1)), 0)
      FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
) AS v ORDER BY v.o, v.id

-- name: _rows_indexes
-- Those that rows are put in order by (first: 1), or the others (0).
SELECT N'index', CONCAT(s.name, N'.', t.name, N'.', i.name),
       CASE WHEN i.is_primary_key = 1 OR i.is_unique_constraint = 1
            THEN N'ALTER TABLE ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name) + N' ADD CONSTRAINT ' + QUOTENAME(i.name)
                 + CASE WHEN i.is_primary_key = 1 THEN N' PRIMARY KEY ' ELSE N' UNIQUE ' END
                 + CASE WHEN i.type = 1 THEN N'CLUSTERED' ELSE N'NONCLUSTERED' END
            ELSE N'CREATE ' + CASE WHEN i.is_unique = 1 THEN N'UNIQUE ' ELSE N'' END
                 + CASE WHEN i.type = 1 THEN N'CLUSTERED' ELSE N'NONCLUSTERED' END + N' INDEX ' + QUOTENAME(i.name)
                 + N' ON ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name) END
       + N' (' + (SELECT STRING_AGG(CAST(QUOTENAME(y.name) + CASE WHEN x.is_descending_key = 1 THEN N' DESC' ELSE N'' END
                                         AS nvarchar(max)), N', ') WITHIN GROUP (ORDER BY x.key_ordinal)
                    FROM sys.index_columns AS x JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id
                   WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0) + N')'
       + COALESCE(N' INCLUDE (' + (SELECT STRING_AGG(CAST(QUOTENAME(y.name) AS nvarchar(max)), N', ')
                    FROM sys.index_columns AS x JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id
                   WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.is_included_column = 1) + N')', N'')
       + COALESCE(N' WHERE ' + i.filter_definition, N'')
       + CASE WHEN i.ignore_dup_key = 1 THEN N' WITH (IGNORE_DUP_KEY = ON)' ELSE N'' END
  FROM sys.indexes AS i JOIN sys.tables AS t ON t.object_id = i.object_id JOIN sys.schemas AS s ON s.schema_id = t.schema_id
 WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%' AND i.type IN (1, 2) AND i.is_disabled = 0
   AND i.is_hypothetical = 0 AND CASE WHEN i.is_unique = 1 OR i.type = 1 THEN 1 ELSE 0 END = :first
 ORDER BY i.object_id, i.index_id

-- name: _rows_later
-- What comes behind the rows and indexes, in the order of making. Asked of both: what the generation lacks is made.
SELECT v.kind, v.name, v.statement FROM (
    SELECT 1 AS o, q.object_id AS id, N'sequence' AS kind, s.name + N'.' + q.name AS name,
           CONCAT(N'CREATE SEQUENCE ', QUOTENAME(s.name), N'.', QUOTENAME(q.name), N' AS ', TYPE_NAME(q.system_type_id),
                  CASE WHEN TYPE_NAME(q.system_type_id) IN (N'decimal', N'numeric') THEN CONCAT(N'(', q."precision", N',0)') END,
                  N' START WITH ', CONVERT(nvarchar(40), CAST(q.current_value AS decimal(38, 0)) + CAST(q.increment AS decimal(38, 0))),
                  N' INCREMENT BY ', CONVERT(nvarchar(40), q.increment), N' MINVALUE ', CONVERT(nvarchar(40), q.minimum_value),
                  N' MAXVALUE ', CONVERT(nvarchar(40), q.maximum_value),
                  CASE WHEN q.is_cycling = 1 THEN N' CYCLE' ELSE N' NO CYCLE' END) AS statement
      FROM sys.sequences AS q JOIN sys.schemas AS s ON s.schema_id = q.schema_id WHERE q.is_ms_shipped = 0
    UNION ALL
    SELECT 2, y.object_id, N'synonym', s.name + N'.' + y.name,
           N'CREATE SYNONYM ' + QUOTENAME(s.name) + N'.' + QUOTENAME(y.name) + N' FOR ' + y.base_object_name
      FROM sys.synonyms AS y JOIN sys.schemas AS s ON s.schema_id = y.schema_id WHERE y.is_ms_shipped = 0
    UNION ALL
    SELECT 3, o.object_id, N'module', OBJECT_SCHEMA_NAME(o.object_id) + N'.' + o.name, m."definition"
      FROM sys.sql_modules AS m JOIN sys.objects AS o ON o.object_id = m.object_id
     WHERE o.is_ms_shipped = 0 AND o.type IN ('V', 'P', 'FN', 'IF', 'TF')
    UNION ALL
    SELECT 4, d.object_id, N'default', OBJECT_SCHEMA_NAME(d.object_id) + N'.' + d.name,
           N'ALTER TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(t.object_id)) + N'.' + QUOTENAME(t.name) + N' ADD CONSTRAINT '
           + QUOTENAME(d.name) + N' DEFAULT ' + d."definition" + N' FOR ' + QUOTENAME(COL_NAME(d.parent_object_id, d.parent_column_id))
      FROM sys.default_constraints AS d JOIN sys.tables AS t ON t.object_id = d.parent_object_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
    UNION ALL
    SELECT 5, k.object_id, N'check', OBJECT_SCHEMA_NAME(k.object_id) + N'.' + k.name,
           N'ALTER TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(t.object_id)) + N'.' + QUOTENAME(t.name)
           + CASE WHEN k.is_not_trusted = 1 THEN N' WITH NOCHECK' ELSE N' WITH CHECK' END + N' ADD CONSTRAINT '
           + QUOTENAME(k.name) + N' CHECK ' + CASE WHEN k.is_not_for_replication = 1 THEN N'NOT FOR REPLICATION ' ELSE N'' END
           + k."definition"
      FROM sys.check_constraints AS k JOIN sys.tables AS t ON t.object_id = k.parent_object_id
     WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
    UNION ALL
    SELECT 6, f.object_id, N'foreign key', OBJECT_SCHEMA_NAME(f.object_id) + N'.' + f.name,
           N'ALTER TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(f.parent_object_id)) + N'.' + QUOTENAME(OBJECT_NAME(f.parent_object_id))
           + CASE WHEN f.is_not_trusted = 1 THEN N' WITH NOCHECK' ELSE N' WITH CHECK' END + N' ADD CONSTRAINT '
           + QUOTENAME(f.name) + N' FOREIGN KEY ('
           + (SELECT STRING_AGG(CAST(QUOTENAME(COL_NAME(x.parent_object_id, x.parent_column_id)) AS nvarchar(max)), N', ')
                     WITHIN GROUP (ORDER BY x.constraint_column_id)
                FROM sys.foreign_key_columns AS x WHERE x.constraint_object_id = f.object_id)
           + N') REFERENCES ' + QUOTENAME(OBJECT_SCHEMA_NAME(f.referenced_object_id)) + N'.'
           + QUOTENAME(OBJECT_NAME(f.referenced_object_id)) + N' ('
           + (SELECT STRING_AGG(CAST(QUOTENAME(COL_NAME(x.referenced_object_id, x.referenced_column_id)) AS nvarchar(max)), N', ')
                     WITHIN GROUP (ORDER BY x.constraint_column_id)
                FROM sys.foreign_key_columns AS x WHERE x.constraint_object_id = f.object_id)
           + N') ON DELETE ' + REPLACE(f.delete_referential_action_desc, N'_', N' ') COLLATE DATABASE_DEFAULT
           + N' ON UPDATE ' + REPLACE(f.update_referential_action_desc, N'_', N' ') COLLATE DATABASE_DEFAULT
           + CASE WHEN f.is_not_for_replication = 1 THEN N' NOT FOR REPLICATION' ELSE N'' END
      FROM sys.foreign_keys AS f WHERE f.is_ms_shipped = 0
    UNION ALL
    SELECT 7, k.object_id, N'rule that is off', k.schema_name + N'.' + k.name,
           N'ALTER TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(k.parent_object_id)) + N'.' + QUOTENAME(OBJECT_NAME(k.parent_object_id))
           + N' NOCHECK CONSTRAINT ' + QUOTENAME(k.name)
      FROM (SELECT object_id, parent_object_id, name, OBJECT_SCHEMA_NAME(object_id) AS schema_name FROM sys.foreign_keys
             WHERE is_disabled = 1 AND is_ms_shipped = 0
            UNION ALL
            SELECT object_id, parent_object_id, name, OBJECT_SCHEMA_NAME(object_id) FROM sys.check_constraints
             WHERE is_disabled = 1 AND is_ms_shipped = 0) AS k
    UNION ALL
    SELECT 8, g.object_id, N'trigger', OBJECT_SCHEMA_NAME(g.parent_id) + N'.' + g.name, m."definition"
      FROM sys.triggers AS g JOIN sys.sql_modules AS m ON m.object_id = g.object_id
     WHERE g.is_ms_shipped = 0 AND g.parent_class = 1
    UNION ALL
    SELECT 9, g.object_id, N'trigger that is off', OBJECT_SCHEMA_NAME(g.parent_id) + N'.' + g.name,
           N'DISABLE TRIGGER ' + QUOTENAME(OBJECT_SCHEMA_NAME(g.parent_id)) + N'.' + QUOTENAME(g.name) + N' ON '
           + QUOTENAME(OBJECT_SCHEMA_NAME(g.parent_id)) + N'.' + QUOTENAME(OBJECT_NAME(g.parent_id))
      FROM sys.triggers AS g WHERE g.is_ms_shipped = 0 AND g.parent_class = 1 AND g.is_disabled = 1
) AS v ORDER BY v.o, v.id

-- name: _rows_source_counters
-- Where identities go on.
SELECT N'counter', s.name + N'.' + t.name,
       N'DBCC CHECKIDENT (N''' + REPLACE(QUOTENAME(s.name) + N'.' + QUOTENAME(t.name), N'''', N'''''') + N''', RESEED, '
       + CONVERT(nvarchar(40), n.last_value) + N') WITH NO_INFOMSGS'
  FROM sys.identity_columns AS n JOIN sys.tables AS t ON t.object_id = n.object_id
  JOIN sys.schemas AS s ON s.schema_id = t.schema_id
 WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%' AND n.last_value IS NOT NULL
 ORDER BY t.object_id

-- name: _rows_source_columns
-- Name, type, type as it is declared, characters of a text, part of the key, collation, 1 when it is an identity. Not what
-- the server makes by itself: computed columns, row versions.
SELECT c.name, TYPE_NAME(c.system_type_id),
       TYPE_NAME(c.system_type_id) + CASE
           WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar', N'char', N'varchar', N'binary', N'varbinary')
           THEN CONCAT(N'(', CASE WHEN c.max_length < 0 THEN N'max'
                WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar') THEN CAST(c.max_length / 2 AS nvarchar(10))
                ELSE CAST(c.max_length AS nvarchar(10)) END, N')')
           WHEN TYPE_NAME(c.system_type_id) IN (N'decimal', N'numeric') THEN CONCAT(N'(', c."precision", N',', c.scale, N')')
           WHEN TYPE_NAME(c.system_type_id) IN (N'time', N'datetime2', N'datetimeoffset') THEN CONCAT(N'(', c.scale, N')')
           ELSE N'' END,
       CASE WHEN c.max_length < 0 THEN 0 WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar') THEN c.max_length / 2
            WHEN TYPE_NAME(c.system_type_id) IN (N'char', N'varchar') THEN c.max_length ELSE 0 END,
       COALESCE(k.key_ordinal, 0), COALESCE(c.collation_name, N''), CASE WHEN c.is_identity = 1 THEN 1 ELSE 0 END
  FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
  JOIN sys.columns AS c ON c.object_id = t.object_id
  LEFT JOIN sys.index_columns AS k ON k.object_id = c.object_id AND k.column_id = c.column_id AND k.key_ordinal > 0
       AND k.index_id = (
           SELECT TOP (1) i.index_id FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.is_unique = 1
              AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND i.type IN (1, 2) AND NOT EXISTS (
                  SELECT 1 FROM sys.index_columns AS x
                    JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id
                   WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
                     AND (y.is_nullable = 1 OR y.is_computed = 1 OR TYPE_NAME(y.system_type_id) = N'timestamp'))
            ORDER BY i.is_primary_key DESC, i.index_id)
 WHERE s.name + N'.' + t.name = :table AND c.is_computed = 0 AND TYPE_NAME(c.system_type_id) <> N'timestamp'
 ORDER BY c.column_id

-- name: _rows_drop
-- runs: its rows
-- Empties the generation of an earlier copy: what refers to others goes before them.
SELECT v.statement FROM (
    SELECT 1 AS o, object_id AS id, N'ALTER TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(parent_object_id)) + N'.'
           + QUOTENAME(OBJECT_NAME(parent_object_id)) + N' DROP CONSTRAINT ' + QUOTENAME(name) AS statement
      FROM sys.objects WHERE is_ms_shipped = 0 AND type IN ('F', 'C', 'D') AND parent_object_id <> 0
       AND OBJECT_NAME(parent_object_id) NOT LIKE N'sandbox[_]%'
    UNION ALL
    SELECT 2, object_id, N'DROP ' + CASE type WHEN 'V' THEN N'VIEW ' WHEN 'P' THEN N'PROCEDURE ' WHEN 'SN' THEN N'SYNONYM '
                              ELSE N'FUNCTION ' END + QUOTENAME(OBJECT_SCHEMA_NAME(object_id)) + N'.' + QUOTENAME(name)
      FROM sys.objects WHERE is_ms_shipped = 0 AND type IN ('V', 'P', 'FN', 'IF', 'TF', 'SN')
    UNION ALL
    SELECT 3, object_id, N'DROP TABLE ' + QUOTENAME(OBJECT_SCHEMA_NAME(object_id)) + N'.' + QUOTENAME(name) FROM sys.tables
     WHERE is_ms_shipped = 0 AND name NOT LIKE N'sandbox[_]%'
    UNION ALL
    SELECT 4, object_id, N'DROP SEQUENCE ' + QUOTENAME(OBJECT_SCHEMA_NAME(object_id)) + N'.' + QUOTENAME(name) FROM sys.sequences
     WHERE is_ms_shipped = 0
    UNION ALL
    SELECT 5, schema_id, N'DROP SCHEMA ' + QUOTENAME(name) FROM sys.schemas WHERE schema_id > 4 AND schema_id < 16384
) AS v ORDER BY v.o, v.id DESC

-- ---- what is remembered, in the generation ----

-- name: _copy_run
SELECT run, phase, source_schema, starts FROM dbo.sandbox_copy_run WHERE one = 1

-- name: _copy_put_run
UPDATE dbo.sandbox_copy_run SET run = :run, phase = :phase, source_schema = :source_schema, starts = :starts WHERE one = 1;
INSERT INTO dbo.sandbox_copy_run (one, run, phase, source_schema, starts)
SELECT 1, :run, :phase, :source_schema, :starts WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_copy_run WHERE one = 1)

-- name: _copy_clear
DELETE FROM dbo.sandbox_copy

-- name: _copy_add
INSERT INTO dbo.sandbox_copy (name, expected) VALUES (:name, :expected)

-- name: _copy_next
SELECT TOP (1) n, name, phase, snapshot, last_key, rows, bytes, cells_changed, checksum, back_key, back_rows, back_checksum
  FROM dbo.sandbox_copy WHERE phase < 2 ORDER BY n

-- name: _copy_older
SELECT TOP (1) n, name, phase, snapshot, last_key, rows, bytes, cells_changed, checksum, back_key, back_rows, back_checksum
  FROM dbo.sandbox_copy WHERE snapshot <> :snapshot ORDER BY n

-- name: _copy_put
UPDATE dbo.sandbox_copy
   SET phase = :phase, snapshot = :snapshot, last_key = :last_key, rows = :rows, bytes = :bytes,
       cells_changed = :cells_changed, checksum = :checksum, back_key = :back_key, back_rows = :back_rows,
       back_checksum = :back_checksum
 WHERE n = :n

-- name: _copy_totals
SELECT COUNT(*), COALESCE(SUM(CASE WHEN phase >= 2 THEN 1 ELSE 0 END), 0), COALESCE(SUM(rows), 0), COALESCE(SUM(bytes), 0),
       COALESCE(SUM(cells_changed), 0), COALESCE(SUM(CASE WHEN expected > rows THEN expected ELSE rows END), 0)
  FROM dbo.sandbox_copy

-- name: _rows_keys
-- The greatest keys that were written, and read back.
SELECT at_text, back_text FROM dbo.sandbox_copy WHERE n = :n

-- name: _rows_put_keys
UPDATE dbo.sandbox_copy SET at_text = :at_text, back_text = :back_text WHERE n = :n
