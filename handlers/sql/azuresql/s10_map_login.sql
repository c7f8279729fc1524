-- SPDX-License-Identifier: Apache-2.0
-- The generation does not see master's logins, so the login is known by its security id, which step 07 makes of the sealed
-- one. Statements that name a login go out alone, without values.

-- name: s10_right_users
-- home: database
SELECT COUNT(*) FROM sys.database_principals AS u
 WHERE u.name = :login AND u.type = 'S'
   AND u.sid = 0x01060000000000640000000000000000
             + CAST(HASHBYTES('SHA2_256', CAST(:sid AS nvarchar(200))) AS binary(16))
   AND 2 = (SELECT COUNT(*) FROM sys.database_role_members AS m
              JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id
             WHERE m.member_principal_id = u.principal_id AND r.name IN ('db_datareader', 'db_datawriter'))
   AND 2 = (SELECT COUNT(*) FROM sys.database_role_members AS m WHERE m.member_principal_id = u.principal_id)

-- name: s10_map_user
-- home: database
-- runs: its rows
SELECT w.say
  FROM (SELECT 1 AS n, CASE WHEN EXISTS (SELECT 1 FROM sys.database_principals WHERE name = :login)
                            THEN N'ALTER USER ' + QUOTENAME(CAST(:login AS sysname)) + N' WITH LOGIN = '
                            ELSE N'CREATE USER ' + QUOTENAME(CAST(:login AS sysname)) + N' FOR LOGIN ' END
                     + QUOTENAME(CAST(:login AS sysname)) AS say
        UNION ALL
        SELECT 2, N'ALTER ROLE ' + QUOTENAME(r.name) + N' DROP MEMBER ' + QUOTENAME(u.name)
          FROM sys.database_role_members AS m
          JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id
          JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id
         WHERE u.name = :login AND r.name NOT IN ('db_datareader', 'db_datawriter')
        UNION ALL
        SELECT 3, N'ALTER ROLE db_datareader ADD MEMBER ' + QUOTENAME(CAST(:login AS sysname))
        UNION ALL
        SELECT 4, N'ALTER ROLE db_datawriter ADD MEMBER ' + QUOTENAME(CAST(:login AS sysname))) AS w
 ORDER BY w.n
