-- SPDX-License-Identifier: Apache-2.0
-- Permissions on the database itself (class 0) beside CONNECT (CO), without which SELECT (SL) is worth nothing, and on
-- anything in it. The principal may be a role or a user; step 10 leaves roles alone and removes users.

-- name: s18_may_read
-- home: database
SELECT COUNT(*) FROM {database}.sys.database_permissions AS p
  JOIN {database}.sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
 WHERE u.name = :principal AND p.class = 0 AND p.type = 'SL' AND p.state IN ('G', 'W')

-- name: s18_all_permissions
-- home: database
SELECT COUNT(*) FROM {database}.sys.database_permissions AS p
  JOIN {database}.sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
 WHERE u.name = :principal AND NOT (p.class = 0 AND p.type = 'CO')

-- name: s18_revoke_others
-- home: database
-- On the database, on schemas (class 3) and on objects (class 1), DENY as well as GRANT.
BEGIN
    DECLARE @principal nvarchar(258) = QUOTENAME(CAST(:principal AS sysname));
    DECLARE @sql nvarchar(max);
    SELECT @sql = COALESCE(STRING_AGG(CAST(N'REVOKE ' + p.permission_name
                    + CASE p.class WHEN 3 THEN N' ON SCHEMA::' + QUOTENAME(s.name)
                                   WHEN 1 THEN N' ON ' + QUOTENAME(os.name) + N'.' + QUOTENAME(o.name)
                                   ELSE N'' END
                    + N' FROM ' + @principal + N' CASCADE;' AS nvarchar(max)), N''), N'')
      FROM {database}.sys.database_permissions AS p
      JOIN {database}.sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
      LEFT JOIN {database}.sys.schemas AS s ON p.class = 3 AND s.schema_id = p.major_id
      LEFT JOIN {database}.sys.objects AS o ON p.class = 1 AND o.object_id = p.major_id
      LEFT JOIN {database}.sys.schemas AS os ON os.schema_id = o.schema_id
     WHERE u.name = :principal AND p.class IN (0, 1, 3) AND NOT (p.class = 0 AND p.type IN ('CO', 'SL'));
    EXEC {database}.sys.sp_executesql @sql;
END

-- name: s18_grant_read
-- home: database
-- A role, when the database has no such principal: whoever may ask customer queries is made a member of it.
BEGIN
    DECLARE @principal nvarchar(258) = QUOTENAME(CAST(:principal AS sysname));
    DECLARE @sql nvarchar(max) = N'';
    IF NOT EXISTS (SELECT 1 FROM {database}.sys.database_principals WHERE name = :principal)
        SET @sql = N'CREATE ROLE ' + @principal + N'; ';
    SET @sql = @sql + N'GRANT SELECT TO ' + @principal;
    EXEC {database}.sys.sp_executesql @sql;
END
