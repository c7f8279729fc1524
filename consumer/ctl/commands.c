/* SPDX-License-Identifier: Apache-2.0
 * The table of commands. */
#include "consumer/ctl/commands.h"

#include "consumer/ctl/deliveries_look.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NO_OPTIONS NULL, 0

#define DRY_RUN  { "dry-run", NULL, NULL, false, "Print what would be sent, and send nothing." }
#define ASKER    { "requested-by", "NAME", NULL, false, "Who asks; the user of this system when it is not given." }
#define TIME_OUT { "timeout", "DURATION", NULL, false, "Stop waiting after so long, as in 90s or 1h30m (exit code 6)." }

const struct option_row common_options[] = {
	{ "config", "FILE", NULL, false, "Configuration file; else $SANDBOX_CONFIG, the user's or the system's." },
	{ "output", "FORMAT", NULL, false, "Form of the data, also -o: table is for people, the others are stable." },
	{ "no-headers", NULL, NULL, false, "No line of titles above a table." },
	{ "color", "WHEN", "auto|always|never", false, "Colours; auto: on a terminal, unless NO_COLOR is set." },
	{ "yes", NULL, NULL, false, "Do not ask, it is meant." },
	{ "no-input", NULL, NULL, false, "Never ask; what would have to be asked is refused." },
	{ "help", NULL, NULL, false, "What the command does, also -h." },
};
const size_t common_option_count = COUNT(common_options);

static const struct option_row request_options[] = {
	{ "source", "TENANT", NULL, false, "Tenant that is copied; it is only read." },
	{ "target", "TENANT", NULL, false, "Sandbox that the copy goes to; what it holds is replaced." },
	{ "kind", "KIND", "replace|create", false, "First copy of the target, or a new one (replace)." },
	{ "admin", "USER=PLAN", NULL, true, "Administrator of the sandbox with a user plan; at least one." },
	{ "user", "USER=PLAN", NULL, true, "Another user; a number is an associate id, an empty plan means none." },
	{ "mask-domain", "DOMAIN", NULL, false, "Where masked addresses end (mailinator.com)." },
	{ "mask-mode", "MODE", "keep-names|hash", false,
	  "What masked addresses show of the name before them; hash: nothing (keep-names)." },
	{ "no-mask", NULL, NULL, false, "Leave addresses as they are; most installations refuse that." },
	{ "keep", "ADDRESS", NULL, true, "An address that stays as it is." },
	{ "documents", "WHICH", "all|included-users|none", false, "Documents that are copied (none)." },
	{ "attachments", "WHICH", "all|no-requests|none", false, "Attachments that are copied (no-requests)." },
	{ "enable-schedule", "ID", NULL, true, "A scheduled task that stays enabled." },
	{ "no-run", NULL, NULL, false, "Leave the sandbox offline in the end." },
	{ "approve-target", "NAME", NULL, false,
	  "The target's name once more: a sandbox without our stamp may be replaced." },
	{ "expected-generation", "NAME", NULL, false, "Refuse when another database is in service by then." },
	{ "from-file", "FILE", NULL, false, "Begin with the request in this JSON file; - is standard input." },
	{ "clone-id", "ID", NULL, false, "Name the clone; otherwise it gets a new UUID." },
	{ "traceparent", "TRACE", NULL, false, "W3C trace context to go on in; $TRACEPARENT otherwise." },
	{ "confirm", NULL, NULL, false, "All changes in the target since its last copy are lost: it is meant." },
	{ "even-if-busy", NULL, NULL, false, "Send it though another clone is under way on the target." },
	{ "wait", NULL, NULL, false, "Then watch it to its end; the exit code is the clone's." },
	TIME_OUT,
	ASKER,
	DRY_RUN,
};

static const struct option_row plan_options[] = {
	{ "strict", NULL, NULL, false, "One by one as listed, instead of side by side." },
};

static const struct option_row list_options[] = {
	{ "status", "STATUS",
	  "running|cancelling|completed|failed|paused|cancelled|rejected|rolling_back|rolled_back", true,
	  "Only these." },
	{ "target", "TENANT", NULL, false, "Only clones of this target." },
	{ "limit", "N", NULL, false, "At most so many, newest first (50)." },
};

static const struct option_row watch_options[] = {
	{ "exit-status", NULL, NULL, false, "End with 0 only when the clone completed." },
	TIME_OUT,
};

static const struct option_row events_options[] = {
	{ "all", NULL, NULL, false, "Repeats of an event too." },
	{ "follow", NULL, NULL, false, "Go on with what comes, until the clone is at rest." },
};

static const struct option_row replay_options[] = {
	{ "from-step", "STEP", NULL, false, "Begin here; otherwise with the step that failed." },
	{ "until-step", "STEP", NULL, false, "Run only this step and what it needs." },
	{ "set", "INPUT=VALUE", NULL, true,
	  "Change an input: mask-domain, mask-mode, documents, attachments, set-running or approve-target." },
	{ "reason", "TEXT", NULL, false, "Why; it is kept with the clone." },
	{ "wait", NULL, NULL, false, "Then watch it to its end; the exit code is the clone's." },
	TIME_OUT,
	ASKER,
	DRY_RUN,
};

static const struct option_row steer_options[] = {
	{ "reason", "TEXT", NULL, false, "Why; it is kept with the clone. cancel and rollback need one." },
	ASKER,
	DRY_RUN,
};

static const struct option_row letters_options[] = {
	{ "reason", "CODE", NULL, false, "Only those with this reason code (schemas/README.md)." },
	{ "limit", "N", NULL, false, "At most so many, newest first (50)." },
};

static const struct option_row requeue_options[] = { DRY_RUN };

static const struct option_row park_options[] = {
	{ "to", "FILE", NULL, false, "Where its bytes go; FILE.json says where they came from." },
};

#define APP_ID { "app", "ID", NULL, false, "Only this app, by its client id." }
#define TENANT { "tenant", "TENANT", NULL, false, "Only this tenant." }
#define ENDED  "done|given-up|withdrawn"

static const struct option_row deliveries_options[] = {
	APP_ID,
	TENANT,
	{ "clone", "ID", NULL, false, "Only what this clone told." },
	{ "event", "ID", NULL, false, "Only this event: its webhook-id." },
	{ "state", "STATE", DELIVERY_STATES, false, "Only these." },
	{ "since", "WHEN", NULL, false, "Only what was stored since: 90m, 12h, 7d, or 2026-11-22T12:00:00Z." },
	{ "limit", "N", NULL, false, "At most so many, newest first (50)." },
};

static const struct option_row again_options[] = { DRY_RUN };

static const struct option_row again_since_options[] = {
	APP_ID,
	TENANT,
	{ "state", "STATE", ENDED, false, "How they ended (given-up)." },
	DRY_RUN,
};

static const struct option_row partners_options[] = {
	{ "off", NULL, NULL, false, "Only those that are switched off." },
};

static const struct option_row disable_options[] = {
	{ "reason", "TEXT", NULL, false, "Why; it is kept with the app. Needed." },
};

static const struct option_row test_options[] = {
	{ "tenant", "TENANT", NULL, false, "Tenant that approved the app; its notices name it. Needed." },
};

static const struct option_row tenants_options[] = {
	{ "stuck", NULL, NULL, false, "Only those that a clone at rest has left offline or In migration." },
};

static const struct option_row watch_tenants_options[] = {
	{ "until", "STATE", NULL, false, "End when the one tenant is in this state, as in Running." },
	TIME_OUT,
};

#define WISHED                                                                                                         \
	{ "partitions", "N", NULL, false, "At least so many for each topic; new ones get 4 when it is not given." },   \
	{ "replicas", "N", NULL, false, "Copies of each partition, at least; 3, or one on each broker where there are fewer." }

static const struct option_row check_topics_options[] = { WISHED };

static const struct option_row apply_topics_options[] = {
	WISHED,
	{ "grow-partitions", NULL, NULL, false,
	  "Topics whose records have keys may grow too; a key then changes its place." },
	{ "dry-run", NULL, NULL, false, "Print what would be changed, and change nothing." },
};

static const struct option_row show_config_options[] = {
	{ "origin", NULL, NULL, false, "Behind each value: the file and line, variable or flag it came from." },
};

static const struct option_row help_options[] = {
	{ "manual", NULL, NULL, false, "The manual page, in Markdown." },
	{ "completion", NULL, NULL, false, "The completion for bash." },
};

#define DATA "table|json|jsonl|ids"

const struct command commands[] = {
	{ "clone", "request", "", 0, 0, request_options, COUNT(request_options), "table|json|ids",
	  "Ask for a clone of a tenant into its sandbox",
	  "clone request --source Cust70000 --target Cust70001 --admin tester@company.example=ten-sales --mask-domain "
	  "sandbox.example\n"
	  "clone request --from-file request.json --dry-run\n"
	  "clone request --from-file request.json --confirm --yes --wait --timeout 2h",
	  cmd_clone_request },
	{ "clone", "plan", "", 0, 0, plan_options, COUNT(plan_options), "table|json|mermaid",
	  "The 33 steps and what each comes after", "clone plan\nclone plan --strict -o json", cmd_clone_plan },
	{ "clone", "list", "", 0, 0, list_options, COUNT(list_options), DATA, "The clones, newest first",
	  "clone list\nclone list --status failed --status paused\nclone list --target Cust70001 -o ids",
	  cmd_clone_list },
	{ "clone", "show", "ID", 1, 1, NO_OPTIONS, "table|json",
	  "One clone: where it stands, why it failed, what to do next",
	  "clone show 0198f0c2\nclone show @latest\nclone show @latest:Cust70001 -o json", cmd_clone_show },
	{ "clone", "watch", "ID", 1, 1, watch_options, COUNT(watch_options), "table|jsonl",
	  "Follow a clone until it is at rest; Ctrl-C leaves it alone",
	  "clone watch @latest\nclone watch 0198f0c2 --exit-status --timeout 2h", cmd_clone_watch },
	{ "clone", "events", "ID", 1, 1, events_options, COUNT(events_options), "table|jsonl",
	  "What a clone told the world, in order", "clone events @latest\nclone events 0198f0c2 -o jsonl --follow",
	  cmd_clone_events },
	{ "clone", "report", "ID", 1, 1, NO_OPTIONS, "table|json",
	  "What came of a clone: times, rows, files, the proof, the tenant", "clone report @latest", cmd_clone_report },
	{ "clone", "replay", "ID", 1, 1, replay_options, COUNT(replay_options), "table|json",
	  "Let a failed or paused clone go on as a new run",
	  "clone replay 0198f0c2 --reason 'disk was full'\n"
	  "clone replay 0198f0c2 --from-step copy_database --set documents=none --reason 'too slow' --dry-run",
	  cmd_clone_replay },
	{ "clone", "pause", "ID", 1, 1, steer_options, COUNT(steer_options), "table|json",
	  "Begin no further step; those under way end first", "clone pause @latest --reason 'maintenance'",
	  cmd_clone_pause },
	{ "clone", "resume", "ID", 1, 1, steer_options, COUNT(steer_options), "table|json", "Let a paused clone go on",
	  "clone resume 0198f0c2", cmd_clone_resume },
	{ "clone", "retry-now", "ID", 1, 1, steer_options, COUNT(steer_options), "table|json",
	  "Do not wait for the next try of a step", "clone retry-now 0198f0c2", cmd_clone_retry_now },
	{ "clone", "cancel", "ID", 1, 1, steer_options, COUNT(steer_options), "table|json",
	  "End a clone and clean up: what it built is dropped, the sandbox before it comes back",
	  "clone cancel 0198f0c2 --reason 'wrong source'", cmd_clone_cancel },
	{ "clone", "rollback", "ID", 1, 1, steer_options, COUNT(steer_options), "table|json",
	  "Undo a complete clone while the sandbox before it is kept ([previous] keep)",
	  "clone rollback @latest:Cust70001 --reason 'tests need the old data'", cmd_clone_rollback },
	{ "dead-letter", "list", "", 0, 0, letters_options, COUNT(letters_options), DATA,
	  "Records that a consumer or the notifier could not use", "dead-letter list\ndead-letter list --reason conflict",
	  cmd_dead_letter_list },
	{ "dead-letter", "show", "ID", 1, 1, NO_OPTIONS, "table|json", "One of them: its reason, its origin, its bytes",
	  "dead-letter show 0:12\ndead-letter show notifier:2:7", cmd_dead_letter_show },
	{ "dead-letter", "requeue", "ID", 1, 1, requeue_options, COUNT(requeue_options), "table|json",
	  "Send its bytes to the topic they came from once more; three times at most",
	  "dead-letter requeue 0:12 --dry-run", cmd_dead_letter_requeue },
	{ "dead-letter", "park", "ID", 1, 1, park_options, COUNT(park_options), "table|json",
	  "Put its bytes into a file, for later or for somebody else", "dead-letter park 0:12 --to letter-0-12.avro",
	  cmd_dead_letter_park },
	{ "delivery", "list", "", 0, 0, deliveries_options, COUNT(deliveries_options), DATA,
	  "What partner apps were told, and what still waits, newest first",
	  "delivery list --state given-up --since 7d\ndelivery list --clone 0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10\n"
	  "delivery list --app a0c1-sync -o json", cmd_delivery_list },
	{ "delivery", "show", "EVENT APP", 2, 2, NO_OPTIONS, "table|json", "One delivery with its last tries",
	  "delivery show 0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10/1/backup-restored a0c1-sync", cmd_delivery_show },
	{ "delivery", "redeliver", "EVENT APP", 2, 2, again_options, COUNT(again_options), "table|json",
	  "Send one that has ended once more, with the same webhook-id",
	  "delivery redeliver 0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10/1/backup-restored a0c1-sync", cmd_delivery_redeliver },
	{ "delivery", "redeliver-since", "WHEN", 1, 1, again_since_options, COUNT(again_since_options), "table|json",
	  "The same for all that were stored since then and were given up; 1000 at a time",
	  "delivery redeliver-since 24h --app a0c1-sync --dry-run\n"
	  "delivery redeliver-since 2026-11-22T12:00:00Z --state done --tenant Cust70001", cmd_delivery_redeliver_since },
	{ "partner", "list", "", 0, 0, partners_options, COUNT(partners_options), DATA,
	  "The apps that were ever told something", "partner list\npartner list --off -o ids", cmd_partner_list },
	{ "partner", "show", "APP", 1, 1, NO_OPTIONS, "table|json", "One app: is it on, since when does it fail, what waits",
	  "partner show a0c1-sync", cmd_partner_show },
	{ "partner", "enable", "APP", 1, 1, NO_OPTIONS, "table|json",
	  "Switch an app on again; what waited for it goes out at once", "partner enable a0c1-sync", cmd_partner_enable },
	{ "partner", "disable", "APP", 1, 1, disable_options, COUNT(disable_options), "table|json",
	  "Tell an app nothing for now; what comes for it waits", "partner disable a0c1-sync --reason 'they asked'",
	  cmd_partner_disable },
	{ "partner", "test", "APP", 1, 1, test_options, COUNT(test_options), "table|json",
	  "Send notices to one app, good and bad ones, and tell how it answers",
	  "partner test a0c1-sync --tenant Cust70001", cmd_partner_test },
	{ "tenant", "list", "", 0, 0, tenants_options, COUNT(tenants_options), DATA,
	  "The state of every tenant that a clone was made into", "tenant list\ntenant list --stuck -o ids",
	  cmd_tenant_list },
	{ "tenant", "show", "TENANT", 1, 1, NO_OPTIONS, "table|json",
	  "One tenant: its state, since when, by which clone, why, what to do next", "tenant show Cust70001", cmd_tenant_show },
	{ "tenant", "watch", "[TENANT]", 0, 1, watch_tenants_options, COUNT(watch_tenants_options), "table|jsonl",
	  "A line for each change of a tenant's state; Ctrl-C ends it",
	  "tenant watch\ntenant watch Cust70001 --until Running --timeout 2h", cmd_tenant_watch },
	{ "topics", "check", "", 0, 0, check_topics_options, COUNT(check_topics_options), "table|json",
	  "Do the topics have the partitions, replicas and settings they need? 1 when one does not",
	  "topics check\ntopics check --partitions 12 -o json", cmd_topics_check },
	{ "topics", "apply", "", 0, 0, apply_topics_options, COUNT(apply_topics_options), "table|json",
	  "Make and change topics where nothing that is kept gets lost; deletes and shrinks nothing",
	  "topics apply --dry-run\ntopics apply --partitions 12 --replicas 3\n"
	  "topics apply --partitions 24 --grow-partitions", cmd_topics_apply },
	{ "doctor", "", "", 0, 0, NO_OPTIONS, "table|json|jsonl", "Is everything a clone needs there and well?",
	  "doctor\ndoctor -o json", cmd_doctor },
	{ "config", "show", "", 0, 0, show_config_options, COUNT(show_config_options), "table",
	  "The configuration in force; secrets are hidden", "config show --origin", cmd_config_show },
	{ "version", "", "", 0, 0, NO_OPTIONS, "table|json", "Versions of program, plan and schemas", "version -o json",
	  cmd_version },
	{ "help", "", "[NOUN [VERB]]", 0, 2, help_options, COUNT(help_options), "", "Commands and their options",
	  "help clone request", cmd_help },
};
const size_t command_count = COUNT(commands);
