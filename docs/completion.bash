# SPDX-License-Identifier: Apache-2.0
# Completion of sandboxctl for bash. Made by `sandboxctl help --completion`; tests/unit/test_ctl_help.c
# compares the two.
_sandboxctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
	local noun=${COMP_WORDS[1]} verb=${COMP_WORDS[2]} words='' values='' formats='' ids=''
	if ((COMP_CWORD == 1)); then
		words='clone dead-letter delivery partner tenant topics doctor config version help'
		COMPREPLY=($(compgen -W "$words" -- "$current"))
		return
	fi
	case $noun in
	clone) words='request plan list show watch events report replay pause resume retry-now cancel rollback' ;;
	dead-letter) words='list show requeue park' ;;
	delivery) words='list show redeliver redeliver-since' ;;
	partner) words='list show enable disable test' ;;
	tenant) words='list show watch' ;;
	topics) words='check apply' ;;
	config) words='show' ;;
	*) verb='' ;;
	esac
	if ((COMP_CWORD == 2)) && [[ $words ]]; then
		COMPREPLY=($(compgen -W "$words" -- "$current"))
		return
	fi
	case "$noun $verb" in
	'clone request') words='--source --target --kind --admin --user --mask-domain --mask-mode --no-mask --keep --documents --attachments --enable-schedule --no-run --approve-target --expected-generation --from-file --clone-id --traceparent --confirm --even-if-busy --wait --timeout --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json ids'; ids='' ;;
	'clone plan') words='--strict --config --output --no-headers --color --yes --no-input --help'; formats='table json mermaid'; ids='' ;;
	'clone list') words='--status --target --limit --config --output --no-headers --color --yes --no-input --help'; formats='table json jsonl ids'; ids='' ;;
	'clone show') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone watch') words='--exit-status --timeout --config --output --no-headers --color --yes --no-input --help'; formats='table jsonl'; ids='clone' ;;
	'clone events') words='--all --follow --config --output --no-headers --color --yes --no-input --help'; formats='table jsonl'; ids='clone' ;;
	'clone report') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone replay') words='--from-step --until-step --set --reason --wait --timeout --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone pause') words='--reason --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone resume') words='--reason --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone retry-now') words='--reason --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone cancel') words='--reason --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'clone rollback') words='--reason --requested-by --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='clone' ;;
	'dead-letter list') words='--reason --limit --config --output --no-headers --color --yes --no-input --help'; formats='table json jsonl ids'; ids='' ;;
	'dead-letter show') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='dead-letter' ;;
	'dead-letter requeue') words='--dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='dead-letter' ;;
	'dead-letter park') words='--to --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='dead-letter' ;;
	'delivery list') words='--app --tenant --clone --event --state --since --limit --config --output --no-headers --color --yes --no-input --help'; formats='table json jsonl ids'; ids='' ;;
	'delivery show') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'delivery redeliver') words='--dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'delivery redeliver-since') words='--app --tenant --state --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'partner list') words='--off --config --output --no-headers --color --yes --no-input --help'; formats='table json jsonl ids'; ids='' ;;
	'partner show') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'partner enable') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'partner disable') words='--reason --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'partner test') words='--tenant --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'tenant list') words='--stuck --config --output --no-headers --color --yes --no-input --help'; formats='table json jsonl ids'; ids='' ;;
	'tenant show') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'tenant watch') words='--until --timeout --config --output --no-headers --color --yes --no-input --help'; formats='table jsonl'; ids='' ;;
	'topics check') words='--partitions --replicas --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'topics apply') words='--partitions --replicas --grow-partitions --dry-run --config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'doctor ') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json jsonl'; ids='' ;;
	'config show') words='--origin --config --output --no-headers --color --yes --no-input --help'; formats='table'; ids='' ;;
	'version ') words='--config --output --no-headers --color --yes --no-input --help'; formats='table json'; ids='' ;;
	'help ') words='--manual --completion --config --output --no-headers --color --yes --no-input --help'; formats=''; ids='' ;;
	esac
	case "$noun $verb $previous" in
	'clone request --kind') values='replace create' ;;
	'clone request --mask-mode') values='keep-names hash' ;;
	'clone request --documents') values='all included-users none' ;;
	'clone request --attachments') values='all no-requests none' ;;
	'clone list --status') values='running cancelling completed failed paused cancelled rejected rolling_back rolled_back' ;;
	'delivery list --state') values='waiting done given-up parked withdrawn' ;;
	'delivery redeliver-since --state') values='done given-up withdrawn' ;;
	*' -o' | *' --output') values=$formats ;;
	*' --color') values='auto always never' ;;
	*' --config' | *' --from-file' | *' --to')
		compopt -o default
		return ;;
	esac
	if [[ $values ]]; then
		words=$values
	elif [[ $current != -* && $ids ]]; then
		words=$(sandboxctl "$ids" list -o ids --limit 50 2>/dev/null)
		[[ $ids == clone ]] && words+=' @latest'
	fi
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _sandboxctl sandboxctl
