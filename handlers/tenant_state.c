/* SPDX-License-Identifier: Apache-2.0
 * The names of the two states of a tenant: of the state API and of SuperID. */
#include "handlers/ports/identity.h"
#include "handlers/ports/tenant.h"

#include <stddef.h>

const char *tenant_state_name(enum tenant_state state)
{
	static const char *const names[] = {
		[TENANT_UNKNOWN] = "Unknown",
		[TENANT_PROVISIONING] = "Provisioning",
		[TENANT_RUNNING] = "Running",
		[TENANT_DELETED] = "Deleted",
		[TENANT_SUSPENDED] = "Suspended",
		[TENANT_ONLINE_MAINTENANCE] = "OnlineMaintenance",
		[TENANT_OFFLINE_MAINTENANCE] = "OfflineMaintenance",
		[TENANT_PROVISIONING_FAILED] = "ProvisioningFailed",
		[TENANT_DELETING] = "Deleting",
		[TENANT_DELETE_FAILED] = "DeleteFailed",
		[TENANT_MIGRATION_PENDING] = "MigrationPending",
	};
	const char *name = (size_t)state < sizeof names / sizeof *names ? names[state] : NULL;

	return name ? name : names[TENANT_UNKNOWN]; /* 7 and 9 are not documented */
}

const char *identity_state_name(enum identity_state state)
{
	return state == IDENTITY_NORMAL ? "Normal" : state == IDENTITY_IN_MIGRATION ? "In migration" : "";
}
