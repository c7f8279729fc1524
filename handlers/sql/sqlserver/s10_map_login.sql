-- SPDX-License-Identifier: Apache-2.0
-- Users are in the generation itself. principal_id 1 to 4 are dbo, guest, INFORMATION_SCHEMA and sys; guest may not
-- connect. Only users count here (types S, U, G, E, X), not roles.

-- name: s10_all_users
-- home: database
SELECT COUNT(*) FROM {database}.sys.database_principals WHERE principal_id > 4 AND type IN ('S', 'U', 'G', 'E', 'X')

-- name: s10_right_users
SELECT COUNT(*) FROM {database}.sys.database_principals AS u JOIN sys.sql_logins AS l ON l.sid = u.sid
 WHERE u.name = :login AND l.name = :login AND u.type = 'S'
   AND 2 = (SELECT COUNT(*) FROM {database}.sys.database_role_members AS m
              JOIN {database}.sys.database_principals AS r ON r.principal_id = m.role_principal_id
             WHERE m.member_principal_id = u.principal_id AND r.name IN ('db_datareader', 'db_datawriter'))
   AND 2 = (SELECT COUNT(*) FROM {database}.sys.database_role_members AS m
             WHERE m.member_principal_id = u.principal_id)

-- name: s10_remove_others
-- home: database
-- What a user owns goes to dbo first: a user who owns a schema or role cannot be dropped (15138).
BEGIN
    DECLARE @schemas nvarchar(max), @roles nvarchar(max), @users nvarchar(max);
    SELECT @schemas = STRING_AGG(CAST(N'ALTER AUTHORIZATION ON SCHEMA::' + QUOTENAME(s.name) + N' TO dbo;' AS nvarchar(max)), N'')
      FROM {database}.sys.schemas AS s JOIN {database}.sys.database_principals AS u ON u.principal_id = s.principal_id
     WHERE u.principal_id > 4 AND u.type IN ('S', 'U', 'G', 'E', 'X') AND u.name <> :login;
    SELECT @roles = STRING_AGG(CAST(N'ALTER AUTHORIZATION ON ROLE::' + QUOTENAME(r.name) + N' TO dbo;' AS nvarchar(max)), N'')
      FROM {database}.sys.database_principals AS r
      JOIN {database}.sys.database_principals AS u ON u.principal_id = r.owning_principal_id
     WHERE r.type = 'R' AND u.principal_id > 4 AND u.type IN ('S', 'U', 'G', 'E', 'X') AND u.name <> :login;
    SELECT @users = STRING_AGG(CAST(N'DROP USER ' + QUOTENAME(u.name) + N';' AS nvarchar(max)), N'')
      FROM {database}.sys.database_principals AS u
     WHERE u.principal_id > 4 AND u.type IN ('S', 'U', 'G', 'E', 'X') AND u.name <> :login;
    SET @users = CONCAT(@schemas, @roles, @users);
    EXEC {database}.sys.sp_executesql @users;
END

-- name: s10_map_user
-- An orphan of that name, from before a restore, gets the login; its memberships become exactly the two roles.
BEGIN
    DECLARE @user nvarchar(258) = QUOTENAME(CAST(:login AS sysname));
    DECLARE @sql nvarchar(max);
    IF EXISTS (SELECT 1 FROM {database}.sys.database_principals WHERE name = :login)
        SET @sql = N'ALTER USER ' + @user + N' WITH LOGIN = ' + @user + N';';
    ELSE
        SET @sql = N'CREATE USER ' + @user + N' FOR LOGIN ' + @user + N';';
    SELECT @sql = @sql + COALESCE(STRING_AGG(CAST(N'ALTER ROLE ' + QUOTENAME(r.name) + N' DROP MEMBER ' + @user + N';'
                                                  AS nvarchar(max)), N''), N'')
      FROM {database}.sys.database_role_members AS m
      JOIN {database}.sys.database_principals AS u ON u.principal_id = m.member_principal_id
      JOIN {database}.sys.database_principals AS r ON r.principal_id = m.role_principal_id
     WHERE u.name = :login AND r.name NOT IN ('db_datareader', 'db_datawriter');
    SET @sql = @sql + N'ALTER ROLE db_datareader ADD MEMBER ' + @user + N'; ALTER ROLE db_datawriter ADD MEMBER ' + @user;
    EXEC {database}.sys.sp_executesql @sql;
END
