-- SPDX-License-Identifier: Apache-2.0
-- name: s32_test_flags
-- needs: UserPreference
SELECT count(DISTINCT prefkey) FROM UserPreference
 WHERE prefsection = 'TestEnvironment' AND deflevel = 3 AND owner_id = 0
   AND ((prefkey = 'IsTestEnvironment' AND prefvalue = '1') OR
        (prefkey IN ('EnablePocketNotifications', 'EnableMailings', 'EnableServiceSendMails', 'EnableCRMScriptHttp',
                     'EnableInbox', 'EnableErpSync', 'EnableQuoteConnector') AND prefvalue = '0'))
