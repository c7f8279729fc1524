-- SPDX-License-Identifier: Apache-2.0
-- Logins are in master. A security id has 32 bytes there, the first 16 always these. The service wants passwords of three
-- kinds of characters, so three more stand behind the sealed one.

-- name: s07_create_login
-- home: master
-- runs: its rows
SELECT CASE WHEN EXISTS (SELECT 1 FROM sys.sql_logins WHERE name = :login)
            THEN N'ALTER LOGIN ' + QUOTENAME(CAST(:login AS sysname)) + N' ENABLE'
            ELSE N'CREATE LOGIN ' + QUOTENAME(CAST(:login AS sysname))
               + N' WITH PASSWORD = N' + QUOTENAME(CAST(:secret_hash AS nvarchar(100)) + N'Aa!', '''')
               + N', SID = ' + CONVERT(nvarchar(70), 0x01060000000000640000000000000000
               + CAST(HASHBYTES('SHA2_256', CAST(:sid AS nvarchar(200))) AS binary(16)), 1) END
