-- SPDX-License-Identifier: Apache-2.0
-- Logins are the server's: sys.sql_logins. The security id is made of the sealed one, so that a login which is made
-- again finds its users in a database that came from elsewhere. A password that is 43 random characters needs no policy.

-- name: s07_login_enabled
-- home: master
SELECT COUNT(*) FROM sys.sql_logins WHERE name = :login AND is_disabled = 0

-- name: s07_create_login
BEGIN
    DECLARE @login sysname = :login;
    DECLARE @sid varbinary(16) = CAST(HASHBYTES('SHA2_256', CAST(:sid AS nvarchar(200))) AS varbinary(16));
    DECLARE @sql nvarchar(max);
    IF EXISTS (SELECT 1 FROM sys.sql_logins WHERE name = @login)
        SET @sql = N'ALTER LOGIN ' + QUOTENAME(@login) + N' ENABLE';
    ELSE
        SET @sql = N'CREATE LOGIN ' + QUOTENAME(@login) + N' WITH PASSWORD = N' + QUOTENAME(:secret_hash, '''')
                 + N', SID = ' + CONVERT(nvarchar(34), @sid, 1) + N', CHECK_POLICY = OFF';
    IF @sql IS NULL RAISERROR (N'the name or password of the login is too long', 16, 1);
    EXEC sys.sp_executesql @sql;
END
