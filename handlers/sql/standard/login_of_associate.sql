-- SPDX-License-Identifier: Apache-2.0
-- name: login_of_associate
SELECT userName FROM associate WHERE associate_id = :associate
