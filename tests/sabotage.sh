#!/usr/bin/env bash
# Breaks each protection on purpose, and sees a test go red: `tests/sabotage.sh`, or `tests/sabotage.sh no_landlock …`.
#
# It builds the program with deliberate defects (crate `sabotage`), runs each test below once without a defect, when it has to
# be green, and once with the defect beside it, when it must not be.
set -euo pipefail
cd "$(dirname "$0")/.."

# The defect, the test binary (that of the whole program, or of a crate), the test that must go red.
table='
no_landlock          outside           isolation::rust::what_is_not_its_own_is_out_of_reach
open_network         outside           isolation::escapes::the_network_is_closed
no_listing           outside           isolation::escapes::what_no_sandbox_stops_is_found
keep_orphans         outside           isolation::greedy::a_rest_of_processes_ends_with_the_worker_wherever_it_went
no_memory_watch      outside           isolation::greedy::ten_times_the_memory_ends_at_the_limit
no_disk_watch        outside           isolation::greedy::filling_the_disk_ends_at_the_limit
no_process_watch     outside           isolation::greedy::a_fork_bomb_is_put_out
no_wall_limit        outside           isolation::greedy::a_deadlock_ends_at_the_wall_limit
inherit_environment  outside           isolation::secrets::a_shadow_gets_what_its_version_declares_and_nothing_else
show_secrets         outside           isolation::secrets::no_secret_is_seen_whatever_a_program_does_with_it
no_log_limit         outside           isolation::greedy::a_gigabyte_of_log_is_kept_short
grant_pipeline       outside           isolation::escapes::the_live_output_is_out_of_reach_by_every_path
unpinned_reads       understudy_tasks  sql::tests::a_file_that_was_replaced_since_it_was_pinned_is_not_read
linked_outputs       outside           hostile_outputs::left::another_name_of_a_file
open_registry        understudy_tasks  sql::store::tests::no_other_url_leads_anywhere_and_none_can_be_added
any_statement        understudy_tasks  sql::tests::only_one_select_is_allowed
any_table            understudy_tasks  sql::tests::nothing_but_the_inputs_is_there
planned_together     outside           hostile_sql::hostile_queries_harm_nobody
linked_targets       outside           hostile_outputs::left::a_link_in_the_store
clear_columns        outside           masks::findings::of_differences_in_every_form
clear_texts          outside           masks::failures::a_program_that_prints_its_rows
plain_paths          outside           odd_names::nothing_is_written_elsewhere
bare_formulas        outside           payloads::as_values_keys_and_customers
bare_escapes         outside           payloads::as_values_keys_and_customers
loose_yaml           outside           hostile_yaml::of_pipelines
endless_files        outside           hostile_yaml::of_files_that_are_none
'
# A defect that lets something run for ever is red as well.
patience=150

cargo build --locked -p understudy --features sabotage --example rust_tasks
built=$(cargo test --locked -p understudy -p understudy-tasks --features understudy/sabotage --lib --test outside --no-run \
    --message-format=json | python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["profile"]["test"]:
        print(message["target"]["name"], message["executable"])')

run() { # defect, binary, test
    local binary
    binary=$(awk -v name="$2" '$1 == name { print $2 }' <<<"$built")
    (cd cli && UNDERSTUDY_SABOTAGE="$1" timeout -k 5 "$patience" "$binary" --exact "$3" 2>&1)
}

caught=0 missed=0
while read -r defect binary test; do
    [ -n "$defect" ] || continue
    [ $# = 0 ] || [[ " $* " == *" $defect "* ]] || continue
    if ! run none "$binary" "$test" | grep -q "^test result: ok. 1 passed"; then
        echo "NOT GREEN without a defect: $test"
        missed=$((missed + 1))
    elif run "$defect" "$binary" "$test" | grep -q "^test result: ok"; then
        echo "MISSED  $defect: $test stays green"
        missed=$((missed + 1))
    else
        echo "caught  $defect: $test"
        caught=$((caught + 1))
    fi
done <<<"$table"

listed=$(grep -cE '^    [A-Z][A-Za-z]+ = "' sabotage/src/lib.rs)
echo "$caught of $listed defects caught, $missed not"
[ "$missed" = 0 ] && { [ $# != 0 ] || [ "$caught" = "$listed" ]; }
