/* SPDX-License-Identifier: Apache-2.0
 * The functions of the table in commands.c; each returns an exit code. */
#ifndef SANDBOX_CTL_COMMANDS_H
#define SANDBOX_CTL_COMMANDS_H

#include "consumer/ctl/ctl.h"

int cmd_clone_request(struct ctl *c);
int cmd_clone_plan(struct ctl *c);
int cmd_clone_list(struct ctl *c);
int cmd_clone_show(struct ctl *c);
int cmd_clone_watch(struct ctl *c);
int cmd_clone_events(struct ctl *c);
int cmd_clone_report(struct ctl *c);
int cmd_clone_replay(struct ctl *c);
int cmd_clone_pause(struct ctl *c);
int cmd_clone_resume(struct ctl *c);
int cmd_clone_retry_now(struct ctl *c);
int cmd_clone_cancel(struct ctl *c);
int cmd_clone_rollback(struct ctl *c);
int cmd_dead_letter_list(struct ctl *c);
int cmd_dead_letter_show(struct ctl *c);
int cmd_dead_letter_requeue(struct ctl *c);
int cmd_dead_letter_park(struct ctl *c);
int cmd_delivery_list(struct ctl *c);
int cmd_delivery_show(struct ctl *c);
int cmd_delivery_redeliver(struct ctl *c);
int cmd_delivery_redeliver_since(struct ctl *c);
int cmd_partner_list(struct ctl *c);
int cmd_partner_show(struct ctl *c);
int cmd_partner_enable(struct ctl *c);
int cmd_partner_disable(struct ctl *c);
int cmd_partner_test(struct ctl *c);
int cmd_tenant_list(struct ctl *c);
int cmd_tenant_show(struct ctl *c);
int cmd_tenant_watch(struct ctl *c);
int cmd_topics_check(struct ctl *c);
int cmd_topics_apply(struct ctl *c);
int cmd_doctor(struct ctl *c);
int cmd_config_show(struct ctl *c);
int cmd_version(struct ctl *c);
int cmd_help(struct ctl *c);

#endif
